import assert from 'node:assert/strict';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeRepository, temporaryDirectory, writePackage } from './fixture.ts';
import { document, moss, mossDone } from './moss.ts';
import { visibleSystem } from './root-snapshot.ts';
import { startWebServer, type WebServer } from './web-server.ts';

/** How many kills; more for a longer run. */
const KILLS = Number(process.env['MOSS_TEST_KILLS'] ?? 20);

describe('an install that is killed', () => {
  const directory = temporaryDirectory('crash');
  const template = join(directory.path, 'template');
  const root = join(directory.path, 'root');
  let server: WebServer;
  let old: string[];
  let whole: string[];
  let finished: string;
  /** Milliseconds that an install takes when nobody stops it. */
  let usual = 0;

  const reset = (): void => {
    rmSync(root, { recursive: true, force: true });
    cpSync(template, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    server.requests = [];
  };
  const install = ['install', 'new', '--yes', '--json'];

  before(async () => {
    const packages = [
      writePackage(directory.path, { name: 'old', small: 4, configuration: 'x = 1\n' }),
      writePackage(directory.path, { name: 'new', small: 60, large: 6_000_000, depends: ['old'], configuration: 'y = 1\n' }),
      writePackage(directory.path, { name: 'other', small: 3 }),
      writePackage(directory.path, { name: 'more', small: 3 }),
    ];
    const repository = await makeRepository(directory.path, packages);
    server = await startWebServer(repository.site);
    await mossDone(['repo', 'add', 'test', server.url, '--fingerprint', repository.fingerprint], { root: template });
    await mossDone(['install', 'old', '--yes'], { root: template });
    old = visibleSystem(template);
    server.behave = (path) => (path.startsWith('/blocks/') ? { do: 'delay', ms: 60 } : undefined);
    reset();
    usual = (await mossDone(install, { root })).ms;
    whole = visibleSystem(root);
    finished = readdirSync(join(root, '.moss')).toSorted().join(' ');
  });
  after(async () => {
    await server.close();
    directory.remove();
  });

  for (let round = 0; round < KILLS; round++) {
    // Evenly over the whole run, a little beyond it, in an order that is the same each time.
    const share = ((round * 7) % KILLS) / KILLS;
    const signal = round % 5 === 4 ? 'SIGINT' : 'SIGKILL';
    it(`leaves the old state or the new one, by ${signal} at ${Math.round(share * 100)} %, and its second run fetches only the rest`, async () => {
      reset();
      const killed = await moss(install, { root, kill: { after: 120 + usual * share, signal } });
      const seen = visibleSystem(root);
      const isNew = seen[0] === whole[0];
      // The user's files follow the switch: those of the new package may still be missing, and nothing else.
      if (isNew) assert.deepEqual(seen, whole.filter((line) => seen.includes(line) || !line.includes(' etc/')));
      else assert.deepEqual(seen, old, 'the old state is whole');
      if (signal === 'SIGINT' && killed.status !== 0) assert.equal(killed.status ?? 130, 130, killed.stderr);
      const again = await mossDone(install, { root });
      assert.deepEqual(visibleSystem(root), whole, 'the second run completes');
      assert.equal(readdirSync(join(root, '.moss')).toSorted().join(' '), finished, 'nothing is left over');
      const blocks = server.requests.filter((path) => path.startsWith('/blocks/'));
      const twice = blocks.filter((path, i) => blocks.indexOf(path) !== i);
      // What was under way when it died may come again: as many as there were connections, and unverified.
      assert.ok(twice.length <= 12, `${twice.length} blocks came twice`);
      const { download } = document(again);
      assert.equal(typeof download, 'number');
    });
  }

  it('does not fetch a verified block again', async () => {
    reset();
    // The last blocks never come: everything else is verified by then.
    const total = new Set<string>();
    server.behave = (path) => {
      if (path.startsWith('/blocks/')) total.add(path);
      return path.startsWith('/blocks/') && total.size > 6 ? { do: 'stall' } : undefined;
    };
    const killed = await moss(install, { root, kill: { after: 4000, signal: 'SIGKILL' } });
    assert.equal(killed.status, undefined);
    const served = server.requests.filter((path) => path.startsWith('/blocks/')).slice(0, 6);
    server.behave = () => undefined;
    server.requests = [];
    await mossDone(install, { root });
    assert.deepEqual(served.filter((path) => server.requests.includes(path)), []);
    assert.deepEqual(visibleSystem(root), whole);
  });

  it('does not hinder the installation of another package', async () => {
    reset();
    const large = new Set<string>();
    server.behave = (path) => {
      if (path.startsWith('/blocks/')) large.add(path);
      return large.size > 5 && path.startsWith('/blocks/') ? { do: 'stall' } : undefined;
    };
    await moss(install, { root, kill: { after: 3000, signal: 'SIGKILL' } });
    server.behave = () => undefined;
    await mossDone(['install', 'other', '--yes'], { root });
    await mossDone(install, { root });
    assert.ok(existsSync(join(root, 'usr/bin/new')));
  });

  it('is waited for by a second moss, which says so and then does its work', async () => {
    reset();
    const asked = Promise.withResolvers<void>();
    server.behave = (path) => {
      if (!path.startsWith('/blocks/')) return undefined;
      asked.resolve();
      return { do: 'delay', ms: 300 };
    };
    const first = mossDone(install, { root });
    await asked.promise;
    const second = await mossDone(['install', 'other', '--yes', '--no-progress'], { root });
    await first;
    assert.match(second.stderr, /Waiting for another moss/);
    for (const name of ['new', 'other']) assert.ok(existsSync(join(root, 'usr/bin', name)), name);
  });

  it('works from one site into two roots at once', async () => {
    reset();
    const other = join(directory.path, 'other-root');
    cpSync(template, other, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    await Promise.all([mossDone(install, { root }), mossDone(install, { root: other })]);
    assert.deepEqual(visibleSystem(root), whole);
    assert.deepEqual(visibleSystem(other), whole);
  });

  it('makes a damaged database anew', async () => {
    reset();
    const path = join(root, '.moss/moss.sqlite');
    const middle = readFileSync(path);
    middle.fill(0xff, 200, middle.length);
    const wanted = ['new', 'other', 'more'];
    for (const [i, damage] of ['not a database at all', '', middle].entries()) {
      writeFileSync(path, damage);
      await mossDone(['install', wanted[i] ?? '', '--yes'], { root });
      assert.ok(existsSync(join(root, 'usr/bin', wanted[i] ?? '')));
    }
  });
});
