/** Parts of packages that are left out: what is fetched of them, and what becomes of the choice later. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import * as fc from 'fast-check';
import { addWishes, chooseComponents } from '../../../node/system/components.ts';
import { World } from '../cli/world.ts';

const NOTHING = { with: [], without: [] };
const LANGUAGES = ['main', 'locale/de', 'locale/de_AT', 'locale/de@euro', 'locale/den', 'locale/fr', 'locale/pt', 'locale/pt_BR'];

describe('the choice of components', () => {
  test('languages are kept with their territories, and with what programs fall back to', () => {
    assert.deepEqual(chooseComponents(LANGUAGES, NOTHING, { without: [], locales: ['de', 'pt_BR'] }), ['main', 'locale/de', 'locale/de_AT', 'locale/de@euro', 'locale/pt', 'locale/pt_BR']);
    const kept = (locale: string): string[] => chooseComponents(['locale/ca', 'locale/ca@valencia', 'locale/ca_ES', 'locale/zh', 'locale/zh-Hant', 'locale/zh_TW'], NOTHING, { without: [], locales: [locale] });
    assert.deepEqual(kept('ca_ES@valencia'), ['locale/ca', 'locale/ca@valencia', 'locale/ca_ES']);
    assert.deepEqual(kept('ca@valencia'), ['locale/ca', 'locale/ca@valencia']);
    assert.deepEqual(kept('zh'), ['locale/zh', 'locale/zh-Hant', 'locale/zh_TW']);
    assert.deepEqual(kept('zh_TW.UTF-8'), ['locale/zh', 'locale/zh_TW']);
  });

  test('what was said of the package counts more than the settings, and the longer name more than the shorter', () => {
    const all = ['main', 'doc', 'man', 'locale/de', 'locale/fr'];
    assert.deepEqual(chooseComponents(all, { with: ['doc'], without: [] }, { without: ['doc', 'man'], locales: ['de'] }), ['main', 'doc', 'locale/de']);
    assert.deepEqual(chooseComponents(all, { with: ['locale/fr'], without: ['locale'] }, { without: [], locales: [] }), ['main', 'doc', 'man', 'locale/fr']);
    assert.deepEqual(chooseComponents(all, { with: ['locale'], without: ['locale/fr'] }, { without: ['locale'], locales: [] }), ['main', 'doc', 'man', 'locale/de']);
  });

  test('the last word counts, and the main component always stays', () => {
    const component = fc.constantFrom<string[]>('doc', 'man', 'locale', 'locale/de', 'locale/fr');
    const words = fc.record({ with: fc.uniqueArray(component), without: fc.uniqueArray(component) }).filter((each) => !each.with.some((name) => each.without.includes(name)));
    fc.assert(
      fc.property(words, words, (earlier, later) => {
        const all = ['main', 'doc', 'man', 'locale/de', 'locale/fr'];
        const chosen = chooseComponents(all, addWishes(addWishes(undefined, earlier), later), { without: ['man'], locales: [] });
        assert.ok(chosen.includes('main'));
        for (const name of all.filter((each) => later.with.includes(each))) assert.ok(chosen.includes(name));
        for (const name of all.filter((each) => later.without.includes(each))) assert.ok(!chosen.includes(name));
      }),
    );
    assert.throws(() => addWishes(undefined, { with: [], without: ['main'] }), { code: 'usage' });
    assert.throws(() => addWishes(undefined, { with: ['doc'], without: ['doc'] }), { code: 'usage' });
  });
});

function german(version: string): string {
  return `usr/share/locale/de/LC_MESSAGES/hello-${version}.txt`;
}

describe('components of an installed package', { timeout: 600_000 }, () => {
  const world = new World();
  const DOC = 'usr/share/doc/hello/README';
  const MAN = 'usr/share/man/man1/hello.1';

  before(async () => {
    await world.text('repo', 'init', world.repository, '--name', 'tiny');
    for (const version of ['1.0', '2.0', '3.0']) {
      // Many files, so that the tables are blocks of their own.
      const documents = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`usr/share/doc/hello/${version}/${i * 7919}.txt`, `document ${i} of ${version}\n`]));
      // The second version is the first that speaks French.
      const french = version === '1.0' ? {} : { 'usr/share/locale/fr/LC_MESSAGES/hello.txt': 'bonjour\n' };
      await world.text(
        'publish',
        world.repository,
        world.package('hello', version, { files: { ...documents, ...french, [MAN]: `hello ${version}\n`, [german(version)]: `hallo ${version}\n`, 'usr/share/locale/en_GB/LC_MESSAGES/hello.txt': 'hello\n' } }),
      );
    }
    await world.text('repo', 'add', 'tiny', join(world.repository, 'site'), '--yes');
  });
  after(() => world.remove());

  const has = (...paths: string[]): boolean[] => paths.map((path) => world.exists(path));
  const bytes = async (...args: string[]): Promise<number> => Number((await world.json(...args))['download']);

  test('what is left out is not fetched, nor are its tables', async () => {
    const all = await bytes('install', 'hello=1.0', '--dry-run');
    const blocks = readdirSync(join(world.root, '.moss/blocks')).length;
    const some = await bytes('install', 'hello=1.0', '--without', 'doc,man', '--yes');
    assert.ok(some < all, `${some} < ${all}`);
    assert.ok(blocks > 1, 'tables are blocks of their own');
    assert.deepEqual(has(DOC, MAN, german('1.0')), [false, false, true]);
    assert.equal((await world.moss(['verify'])).status, 0);
    const elsewhere = join(world.directory, 'elsewhere');
    await world.text('-D', elsewhere, 'repo', 'add', 'tiny', join(world.repository, 'site'), '--yes');
    await world.text('-D', elsewhere, 'install', 'hello=1.0', '--without', 'doc', '--yes');
    assert.ok(readdirSync(join(elsewhere, '.moss/blocks')).length < blocks);
  });

  test('it stays left out of later versions, and so do parts of it that are new', async () => {
    await world.text('install', 'hello=1.0', '--without', 'locale', '--yes');
    await world.text('install', 'hello=2.0', '--yes');
    assert.deepEqual(has(DOC, MAN, german('2.0'), 'usr/share/locale/fr'), [false, false, false, false]);
    assert.equal((await world.moss(['verify'])).status, 0);
  });

  test('it comes with --with, and stays from then on', async () => {
    const brought = await world.json('install', 'hello=2.0', '--with', 'doc', '--yes');
    assert.deepEqual([brought['install'], brought['upgrade'], brought['components']], [[], [], [{ name: 'hello', added: ['doc'], removed: [] }]]);
    assert.deepEqual(has(DOC, MAN), [true, false]);
    await world.text('sync', '--yes');
    assert.match(world.read(DOC), /3\.0/);
    assert.deepEqual(has(MAN, german('3.0')), [false, false]);
    await world.text('sync', '--with', 'man', '--yes');
    assert.deepEqual(has(MAN), [true]);
  });

  test('going back brings the components of that time', async () => {
    await world.text('state', 'activate', '1');
    assert.deepEqual(has(DOC, german('1.0')), [false, true]);
    assert.equal((await world.moss(['verify'])).status, 0);
    await world.text('remove', 'hello', '--yes');
    await world.text('install', 'hello', '--yes');
    assert.deepEqual(has(DOC, MAN, german('3.0')), [true, true, true], 'a package that was removed is a new one');
  });

  test('settings hold for what is installed and brought up to date, not for what nobody asked about', async () => {
    await world.text('publish', world.repository, world.package('other', '1.0'));
    await world.text('repo', 'update');
    await world.text('config', 'set', 'without', 'doc');
    await world.text('config', 'set', 'locales', 'de');
    await world.text('install', 'other', '--yes');
    assert.deepEqual(has(DOC, 'usr/share/doc/other/README', 'usr/share/locale/fr'), [true, false, true]);
    assert.match((await world.moss(['sync', '--dry-run'])).stdout, /Leave components out\n +hello +doc, locale\/en_GB, locale\/fr/);
    await world.text('sync', '--yes');
    assert.deepEqual(has(DOC, german('3.0'), 'usr/share/locale/fr', 'usr/share/locale/en_GB'), [false, true, false, false]);
    await world.text('install', 'hello', '--with', 'doc,locale/fr', '--yes');
    assert.deepEqual(has(DOC, 'usr/share/locale/fr', 'usr/share/locale/en_GB'), [true, true, false]);
    assert.match(await world.text('info', 'hello'), /asked for with doc, locale\/fr/);
  });

  test('a list of languages that holds none is refused', async () => {
    const refused = await world.json('config', 'set', 'locales', '["en", "de"]');
    assert.deepEqual([refused['code'], refused['message']], ['usage', 'locales must be a list of languages such as en,de']);
  });

  test('a component that does not exist is an error that names those that do', async () => {
    const refused = await world.json('install', 'hello', '--with', 'docs', '--yes');
    assert.equal(refused['code'], 'usage');
    assert.match(String(refused['hint']), /doc, .*main/);
    assert.equal((await world.json('install', 'hello', '--without', 'docs', '--yes'))['code'], 'usage');
    assert.equal((await world.json('install', 'hello', '--without', 'main', '--yes'))['code'], 'usage');
    assert.ok(existsSync(join(world.root, DOC)));
  });
});
