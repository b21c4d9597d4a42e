/** Damage of every kind, done to a real root: what `verify` says of it, and what `verify --repair` makes of it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, closeSync, lstatSync, mkdirSync, openSync, readFileSync, readdirSync, readlinkSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { System } from '../../../node/system/system.ts';
import { verifyState } from '../../../node/system/verify.ts';
import { World, type Document } from '../cli/world.ts';

interface Finding {
  path: string;
  problem: string;
}

function findingsOf(document: Document): string[] {
  return (document['findings'] as Finding[]).map(({ path, problem }) => `${path} ${problem}`);
}

/** Writes into a file in place, as a disk or a careless program would: its size, mode and time stay. */
function flip(path: string, at = 10): void {
  const { mode, atime, mtime } = statSync(path);
  chmodSync(path, 0o644);
  const byte = readFileSync(path)[at] ?? 0;
  const fd = openSync(path, 'r+');
  writeSync(fd, Buffer.of(byte ^ 1), 0, 1, at);
  closeSync(fd);
  chmodSync(path, mode & 0o7777);
  utimesSync(path, atime, mtime);
}

function text(i: number): string {
  return `usr/share/hello/${i}.txt`;
}

const IS_ROOT = process.getuid?.() === 0;

describe('damage', { timeout: 600_000 }, () => {
  const world = new World();
  const inRoot = (path: string): string => join(world.root, path);
  const inState = (path: string, number = 2): string => inRoot(`.moss/states/${number}/${path}`);

  before(async () => {
    await world.text('repo', 'init', world.repository, '--name', 'tiny');
    const files = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`usr/share/hello/${i}.txt`, `line ${i}\n`.repeat(200)]));
    const hello = world.package('hello', '1.0', {
      files: {
        ...files,
        'usr/share/hello/empty': '',
        'usr/share/hello/large.bin': Array.from({ length: 40_000 }, (_, i) => `${i * 7919}`).join(' ').repeat(8),
        // The same content under two names, once to be executed.
        'usr/share/hello/script.txt': '#!/bin/sh\necho hello 1.0\n',
      },
    });
    for (const name of ['hi', 'hey']) symlinkSync('hello', join(hello, 'usr/bin', name));
    await world.text('publish', world.repository, hello, world.package('other', '1.0'));
    await world.text('repo', 'add', 'tiny', join(world.repository, 'site'), '--yes');
    await world.text('install', 'hello', '--yes');
    await world.text('install', 'other', '--yes');
    assert.equal((await world.moss(['verify'])).status, 0);
  });
  after(() => world.remove());

  /** The store's file of an entry. */
  const stored = (path: string): string => {
    const { ino } = statSync(inState(path));
    const found = storeFiles().find((file) => statSync(file).ino === ino);
    assert.ok(found, `${path} is not linked into the store`);
    return found;
  };
  const storeFiles = (): string[] =>
    readdirSync(inRoot('.moss/store')).flatMap((shard) => readdirSync(inRoot(`.moss/store/${shard}`)).map((name) => inRoot(`.moss/store/${shard}/${name}`)));

  interface Case {
    name: string;
    path: string;
    damage: (path: string) => void;
    problem: string;
    /** What a quick look says, where that is something else; '' where it sees nothing. */
    quick?: string;
  }
  /** Of which the store has no right bytes any more: they are fetched. */
  const lost: Case[] = [
    { name: 'a flipped bit', path: text(0), damage: flip, problem: 'altered', quick: '' },
    { name: 'a flipped bit in the last leaf of a large file', path: 'usr/share/hello/large.bin', damage: (path) => flip(path, 1_500_000), problem: 'altered', quick: '' },
    {
      name: 'a file that was written to through a hard link in another state',
      path: text(1),
      damage: (path) => {
        const other = path.replace('/states/2/', '/states/1/');
        chmodSync(other, 0o644);
        writeFileSync(other, 'LINE 1\n'.repeat(200));
        chmodSync(other, 0o444);
      },
      problem: 'altered',
      quick: 'touched',
    },
    { name: 'a file without content, as after a power cut', path: text(2), damage: (path) => truncateSync(path, 0), problem: 'altered' },
    { name: 'an empty file that is not empty any more', path: 'usr/share/hello/empty', damage: (path) => writeFileSync(path, 'x'), problem: 'altered' },
    { name: 'a file that is gone, from the store too', path: text(3), damage: (path) => [stored(text(3)), path].forEach((each) => rmSync(each)), problem: 'missing' },
  ];
  /** Of which the store has the right bytes, or that have none. */
  const misplaced: Case[] = [
    { name: 'a file that is gone', path: text(4), damage: (path) => rmSync(path), problem: 'missing' },
    {
      name: 'a file that was replaced by one of the same size',
      path: text(5),
      damage: (path) => {
        writeFileSync(`${path}.new`, 'LINE 5\n'.repeat(200), { mode: 0o444 });
        renameSync(`${path}.new`, path);
      },
      problem: 'altered',
      quick: 'touched',
    },
    { name: 'another mode', path: 'usr/bin/hello', damage: (path) => chmodSync(path, 0o4755), problem: 'mode' },
    { name: 'another time', path: text(6), damage: (path) => utimesSync(path, 5, 5), problem: 'touched' },
    { name: 'the same content under two names, broken under one', path: 'usr/share/hello/script.txt', damage: flip, problem: 'altered', quick: '' },
    { name: 'a link that leads elsewhere', path: 'usr/bin/hi', damage: (path) => { rmSync(path); symlinkSync('nowhere', path); }, problem: 'link' },
    { name: 'a link that is gone', path: 'usr/bin/hey', damage: (path) => rmSync(path), problem: 'missing' },
    { name: 'a directory in the place of a file', path: text(7), damage: (path) => { rmSync(path); mkdirSync(path); writeFileSync(join(path, 'x'), 'x'); }, problem: 'type' },
    { name: 'a link in the place of a file', path: text(8), damage: (path) => { rmSync(path); symlinkSync('/etc/passwd', path); }, problem: 'type' },
    { name: 'a directory that others may write into', path: 'usr/share/doc/hello', damage: (path) => chmodSync(path, 0o777), problem: 'mode' },
    { name: 'a directory that others may not look into', path: 'usr/share/hello', damage: (path) => chmodSync(path, 0o700), problem: 'mode' },
    { name: 'a directory that is gone', path: 'usr/share/doc/other', damage: (path) => rmSync(path, { recursive: true }), problem: 'missing' },
    { name: 'what was in it', path: 'usr/share/doc/other/README', damage: () => undefined, problem: 'missing' },
    ...(IS_ROOT ? [{ name: 'another owner', path: text(9), damage: (path: string) => chownSync(path, 1234, 1234), problem: 'owner' }] : []),
  ];

  for (const [what, cases, fetched] of [['with the broken files fetched, and no more', lost, lost.length], ['with nothing fetched', misplaced, 0]] as const) {
    test(`${cases.map(({ name }) => name).join('; ')}: each is found, and mended ${what}`, async () => {
      for (const { path, damage } of cases) damage(inState(path));
      const expected = (quick: boolean): string[] =>
        cases.map((each) => [each.path, quick ? (each.quick ?? each.problem) : each.problem]).filter(([, problem]) => problem !== '').map((each) => each.join(' ')).toSorted();
      assert.deepEqual(findingsOf(await world.json('verify', '--quick')).toSorted(), expected(true));
      const found = await world.json('verify');
      assert.deepEqual(findingsOf(found).toSorted(), expected(false));
      assert.equal((found['repair'] as { files: number }).files, fetched);
      const repaired = await world.json('verify', '--repair');
      assert.deepEqual(repaired['findings'], found['findings']);
      const { files, entries, sources } = repaired['repaired'] as { files: number; entries: number; sources: Record<string, number> };
      assert.deepEqual([files, entries], [fetched, cases.length]);
      assert.equal(Object.values(sources).reduce((sum, bytes) => sum + bytes, 0), (found['repair'] as { download: number }).download);
      for (const number of ['1', '2']) assert.deepEqual(findingsOf(await world.json('state', 'verify', number)), [], `state ${number}`);
      assert.equal((await world.moss(['verify', '--quick'])).status, 0);
    });
  }

  test('a directory that was moved away, with a link to it in its place, is not followed', async () => {
    const moved = join(world.directory, 'moved');
    renameSync(inState('usr/share/hello'), moved);
    symlinkSync(moved, inState('usr/share/hello'));
    const found = findingsOf(await world.json('verify', '--quick'));
    assert.ok(found.length > 30 && found.includes(`${text(3)} missing`), found.join('\n'));
    assert.equal(((await world.json('verify', '--repair'))['repaired'] as { files: number }).files, 0);
    assert.ok(lstatSync(inState('usr/share/hello')).isDirectory());
    assert.deepEqual(findingsOf(await world.json('verify')), []);
  });

  test('the links at the top of the root are looked after', async () => {
    rmSync(inRoot('bin'));
    rmSync(inRoot('usr'));
    symlinkSync('/usr', inRoot('usr'));
    assert.deepEqual(findingsOf(await world.json('verify', '--quick')), ['usr link', 'bin missing']);
    await world.json('verify', '--repair', '--quick');
    assert.equal(readlinkSync(inRoot('usr')), '.moss/current/usr');
    assert.equal(readlinkSync(inRoot('bin')), 'usr/bin');
  });

  test('so are those at the top of a state, through which its own links lead', async () => {
    rmSync(inState('bin'));
    rmSync(inState('etc'));
    symlinkSync('/etc', inState('etc'));
    assert.deepEqual(findingsOf(await world.json('verify', '--quick')), ['.moss/states/2/etc link', '.moss/states/2/bin missing']);
    await world.json('verify', '--repair', '--quick');
    assert.deepEqual([readlinkSync(inState('etc')), readlinkSync(inState('bin'))], ['../../../etc', 'usr/bin']);
  });

  test('directories that get the group of the one they are made in are as they should be', async () => {
    chmodSync(inRoot('.moss/states'), 0o2755);
    await world.text('remove', 'other', '--yes');
    chmodSync(inRoot('.moss/states'), 0o755);
    assert.equal(statSync(inState('usr/bin', 3)).mode & 0o2000, 0o2000);
    assert.deepEqual(findingsOf(await world.json('verify')), []);
    await world.text('state', 'activate', '2');
    await world.text('state', 'remove', '3', '--yes');
  });

  test('what was altered in the store is kept apart, and never linked again', async () => {
    const quarantined = readdirSync(inRoot('.moss/quarantine')).length;
    const inode = statSync(inState(text(7))).ino;
    flip(inState(text(7)));
    await world.json('verify', '--repair');
    assert.equal(readdirSync(inRoot('.moss/quarantine')).length, quarantined + 1);
    for (const number of [1, 2]) assert.notEqual(statSync(inState(text(7), number)).ino, inode);
    assert.equal(readFileSync(inState(text(7), 1), 'utf8'), 'line 7\n'.repeat(200));
  });

  test("the user's files are told apart, and left alone", async () => {
    writeFileSync(inRoot('etc/hello.conf'), '');
    rmSync(inRoot('etc/other.conf'));
    const document = await world.json('verify', '--repair');
    assert.deepEqual(document['changed'], [{ path: 'etc/hello.conf', package: 'hello', problem: 'altered' }, { path: 'etc/other.conf', package: 'other', problem: 'missing' }]);
    assert.deepEqual(findingsOf(document), []);
    assert.equal(readFileSync(inRoot('etc/hello.conf'), 'utf8'), '');
    assert.match((await world.moss(['verify'])).stdout, /Yours, and left alone: 2 .*\/etc\/hello\.conf/);
    assert.deepEqual((await world.json('state', 'verify', '1'))['changed'], [], 'they follow the active state alone');
  });

  test("the user's files become those of their packages again where that is asked for, and what was changed stays beside", async () => {
    writeFileSync(inRoot('etc/hello.conf'), 'mine');
    chmodSync(inRoot('etc/hello.conf'), 0o600);
    rmSync(inRoot('etc/other.conf'), { force: true });
    assert.deepEqual((await world.json('verify', '--restore-config', '--dry-run'))['restored'], []);
    const document = await world.json('verify', '--restore-config');
    assert.deepEqual(document['restored'], ['etc/hello.conf', 'etc/other.conf']);
    for (const path of ['etc/hello.conf', 'etc/other.conf']) assert.equal(readFileSync(inRoot(path), 'utf8'), 'version = 1.0\n');
    assert.equal(readFileSync(inRoot('etc/hello.conf.moss-old'), 'utf8'), 'mine');
    assert.equal(statSync(inRoot('etc/hello.conf.moss-old')).mode & 0o777, 0o600);
    writeFileSync(inRoot('etc/hello.conf'), 'mine again');
    await world.json('verify', '--restore-config', '--repair');
    assert.equal(readFileSync(inRoot('etc/hello.conf.moss-old.1'), 'utf8'), 'mine again');
    assert.deepEqual((await world.json('verify'))['changed'], []);
  });

  test('so they do where something else took their place, which stays beside as it is', async () => {
    rmSync(inRoot('etc/hello.conf'));
    symlinkSync('/dev/zero', inRoot('etc/hello.conf'));
    rmSync(inRoot('etc/other.conf'));
    mkdirSync(inRoot('etc/other.conf/d'), { recursive: true });
    const { changed, restored } = await world.json('verify', '--restore-config');
    assert.deepEqual(changed, [{ path: 'etc/hello.conf', package: 'hello', problem: 'type' }, { path: 'etc/other.conf', package: 'other', problem: 'type' }]);
    assert.deepEqual(restored, ['etc/hello.conf', 'etc/other.conf']);
    for (const path of ['etc/hello.conf', 'etc/other.conf']) assert.equal(readFileSync(inRoot(path), 'utf8'), 'version = 1.0\n');
    assert.equal(readlinkSync(inRoot('etc/hello.conf.moss-old.2')), '/dev/zero');
    assert.deepEqual(readdirSync(inRoot('etc/other.conf.moss-old')), ['d']);
  });

  test("the originals of the user's files are held against what was signed, too", async () => {
    const original = storeFiles().find((path) => readFileSync(path, 'utf8') === 'version = 1.0\n');
    assert.ok(original);
    flip(original, 2);
    assert.deepEqual(findingsOf(await world.json('verify')), ['etc/hello.conf original', 'etc/other.conf original']);
    await world.json('verify', '--repair');
    assert.equal(readFileSync(original, 'utf8'), 'version = 1.0\n');
  });

  test('what takes no fetching is mended where no source can be reached', async () => {
    flip(inState(text(10)));
    rmSync(inState(text(11)));
    rmSync(inState('bin'));
    const blocks = join(world.repository, 'site/blocks');
    renameSync(blocks, `${blocks}.away`);
    assert.equal((await world.json('verify', '--repair'))['code'], 'no-source');
    assert.deepEqual(findingsOf(await world.json('verify')), [`${text(10)} altered`]);
    renameSync(`${blocks}.away`, blocks);
    await world.json('verify', '--repair');
    assert.deepEqual(findingsOf(await world.json('verify')), []);
  });

  test('names that a terminal would obey are shown without that', async () => {
    const name = 'usr/share/evil\u001B[31m\nred';
    writeFileSync(inState(name), '');
    assert.match((await world.moss(['verify'])).stdout, /\/usr\/share\/evil\?\[31m\?red/);
    assert.deepEqual((await world.json('verify'))['extra'], [name]);
    rmSync(inState(name));
  });

  test('a directory that its owner may not look into any more is found and mended', { skip: IS_ROOT ? 'root may look into all' : false }, async () => {
    chmodSync(inState('usr/share/hello'), 0o000);
    assert.ok(findingsOf(await world.json('verify')).includes('usr/share/hello mode'));
    await world.json('verify', '--repair');
    assert.deepEqual(findingsOf(await world.json('verify')), []);
  });

  test('a configuration file that whoever asks may not read is told apart', async () => {
    const path = inRoot('etc/hello.conf');
    const { mode } = statSync(path);
    const system = await System.open({ root: world.root, onEvent: () => undefined, environment: world.environment });
    chmodSync(path, 0o000);
    chmodSync(world.directory, 0o755);
    // To root no file is closed.
    if (IS_ROOT) process.seteuid?.(65_534);
    try {
      const { changed } = await verifyState(system, 2, { full: false, packages: system.active?.packages ?? [], all: true });
      assert.deepEqual(changed, [{ path: 'etc/hello.conf', package: 'hello', problem: 'unreadable' }]);
    } finally {
      if (IS_ROOT) process.seteuid?.(0);
      chmodSync(path, mode);
      await system.close();
    }
  });

  test('what belongs to no package is told, and left alone', async () => {
    mkdirSync(inState('usr/share/mine'));
    writeFileSync(inState('usr/share/mine/a'), 'a');
    writeFileSync(inState('usr/bin/planted'), 'b');
    const document = await world.json('verify', '--repair');
    assert.deepEqual((document['extra'] as string[]).toSorted(), ['usr/bin/planted', 'usr/share/mine']);
    assert.deepEqual(findingsOf(document), []);
    assert.ok(lstatSync(inState('usr/bin/planted')).isFile());
    assert.deepEqual((await world.json('verify', 'other'))['extra'], []);
    rmSync(inState('usr/share/mine'), { recursive: true });
    rmSync(inState('usr/bin/planted'));
  });

  test('what other files are unpacked with is fetched anew when it turns out altered', async () => {
    let seed = 'twins';
    const lines = Array.from({ length: 8000 }, () => (seed = createHash('sha256').update(seed).digest('hex')));
    const twin = lines.map((line, i) => (i % 500 === 0 ? `${line}!` : line)).join('\n');
    const twins = { a: `${lines.join('\n')}\n`, b: `${twin}\n` };
    await world.text('publish', world.repository, world.package('twins', '1.0', { files: { 'usr/lib/twins/a.txt': twins.a, 'usr/lib/twins/b.txt': twins.b } }));
    await world.text('repo', 'update');
    let healed = 0;
    // One of the two is what the other is compressed against.
    for (const [base, other] of [['a', 'b'], ['b', 'a']] as const) {
      await world.text('install', 'twins', '--yes');
      const { active } = (await world.json('state', 'list')) as unknown as { active: number };
      const [first, second] = [base, other].map((name) => storeFiles().find((file) => statSync(file).ino === statSync(inState(`usr/lib/twins/${name}.txt`, active)).ino));
      assert.ok(first && second);
      await world.text('remove', 'twins', '--yes');
      flip(first, 1000);
      rmSync(second);
      const { stderr } = await world.moss(['install', 'twins', '--yes']);
      if (stderr.includes(`/usr/lib/twins/${base}.txt, which other files are unpacked with, was altered in the store`)) healed++;
      await world.json('verify', 'twins', '--repair');
      for (const name of ['a', 'b'] as const) assert.equal(readFileSync(inRoot(`usr/lib/twins/${name}.txt`), 'utf8'), twins[name]);
      await world.text('remove', 'twins', '--yes');
    }
    assert.equal(healed, 1);
    await world.text('state', 'activate', '2');
    const later = ((await world.json('state', 'list'))['states'] as { number: number }[]).map(({ number }) => String(number)).filter((number) => Number(number) > 4);
    await world.text('state', 'remove', ...later, '--yes');
  });

  test('manifests and tables are records that can be fetched again', async () => {
    const blocks = readdirSync(inRoot('.moss/blocks'));
    for (const [i, name] of blocks.entries()) {
      if (i % 2 === 0) flip(inRoot(`.moss/blocks/${name}`));
      else rmSync(inRoot(`.moss/blocks/${name}`));
    }
    const found = await world.json('verify');
    assert.ok(findingsOf(found).length > 0);
    assert.ok(findingsOf(found).every((each) => each.startsWith('.moss/blocks/')));
    assert.equal((await world.moss(['verify'])).status, 1);
    await world.json('verify', '--repair');
    assert.deepEqual(findingsOf(await world.json('verify')), []);
    // What other states need is mended with them; until then they stand in nobody's way.
    for (const { number } of (await world.json('state', 'list'))['states'] as { number: number }[]) await world.json('state', 'verify', String(number), '--repair');
    assert.doesNotMatch((await world.moss(['verify', '--repair'])).stderr, /damaged/);
  });

  test('the database is made anew when it does not say what the records say', async () => {
    const { DatabaseSync } = await import('node:sqlite');
    const database = new DatabaseSync(inRoot('.moss/moss.sqlite'));
    database.exec("UPDATE installed SET version = '6.6' WHERE name = 'hello'");
    database.close();
    assert.deepEqual(findingsOf(await world.json('verify')), ['.moss/moss.sqlite altered']);
    await world.json('verify', '--repair');
    assert.match(await world.text('list'), /^hello +1\.0/m);
    writeFileSync(inRoot('.moss/moss.sqlite'), 'no database');
    await world.json('verify', '--repair');
    assert.match(await world.text('list'), /^hello +1\.0/m);
  });

  test('the database of another version of moss is no damage, and is made anew', async () => {
    const { DatabaseSync } = await import('node:sqlite');
    const open = (): InstanceType<typeof DatabaseSync> => new DatabaseSync(inRoot('.moss/moss.sqlite'));
    const versionOf = (database: InstanceType<typeof DatabaseSync>): unknown => database.prepare('PRAGMA user_version').get()?.['user_version'];
    const old = open();
    const version = versionOf(old);
    old.exec('DROP TABLE entry; PRAGMA user_version = 2;');
    old.close();
    assert.deepEqual(findingsOf(await world.json('verify')), []);
    const made = open();
    assert.deepEqual([versionOf(made), Number(made.prepare('SELECT count(*) AS rows FROM entry').get()?.['rows']) > 0], [version, true]);
    made.close();
  });

  test('the record of a state is written anew from the database', async () => {
    const record = inState('.moss-state.json');
    const intact = readFileSync(record, 'utf8');
    truncateSync(record, 30);
    assert.deepEqual(findingsOf(await world.json('verify')), ['.moss/states/2/.moss-state.json altered']);
    assert.equal((await world.moss(['verify'])).status, 1);
    assert.equal((await world.moss(['verify', '--repair'])).status, 0);
    assert.deepEqual(JSON.parse(readFileSync(record, 'utf8')), JSON.parse(intact));
  });

  test('so it is where one letter of it is another: neither the database nor a package follows', async () => {
    const record = inState('.moss-state.json');
    const intact = readFileSync(record, 'utf8');
    for (const [right, wrong] of [['"hello"', '"hallo"'], ['"bafy', '"baty'], ['"main"', '"mein"']] as const) {
      writeFileSync(record, intact.replace(right, wrong));
      assert.deepEqual(findingsOf(await world.json('verify')), ['.moss/states/2/.moss-state.json altered'], wrong);
      assert.equal((await world.json('state', 'list'))['active'], 2);
      await world.json('verify', '--repair');
      assert.equal(readFileSync(record, 'utf8'), intact);
    }
  });

  test('from a state of which all records are lost one can go to another, and remove it', async () => {
    const { state } = await world.json('install', 'hello', '--without', 'doc');
    rmSync(inState('.moss-state.json', Number(state)));
    rmSync(inRoot('.moss/moss.sqlite'));
    assert.match(String((await world.json('verify', '--repair'))['hint']), /moss state activate N/);
    assert.equal((await world.json('state', 'activate', '2'))['state'], 2);
    assert.deepEqual((await world.json('state', 'remove', String(state)))['states'], [state]);
    assert.deepEqual(findingsOf(await world.json('verify')), []);
  });

  test('the whole tree of the active state is made again from the database and the store', async () => {
    const record = readFileSync(inState('.moss-state.json'), 'utf8');
    rmSync(inState(''), { recursive: true });
    // A change cannot be made from it, and does not forget what was installed.
    assert.match((await world.moss(['remove', 'other', '--yes'])).stderr, /moss state verify 2 --repair/);
    const findings = findingsOf(await world.json('verify'));
    for (const each of ['.moss/states/2/.moss-state.json missing', '.moss/states/2/bin missing', 'usr/bin/hello missing']) assert.ok(findings.includes(each), each);
    assert.equal(((await world.json('state', 'verify', '2', '--repair'))['repaired'] as { files: number }).files, 0);
    assert.deepEqual(findingsOf(await world.json('verify')), []);
    assert.deepEqual(JSON.parse(readFileSync(inState('.moss-state.json'), 'utf8')), JSON.parse(record));
  });

  test('notes of a root that cannot be read name themselves and the way on', async () => {
    const notes: [path: string, words: string[], hint: RegExp][] = [
      ['.moss/pins.json', ['state', 'prune'], /pin the states again/],
      ['.moss/repositories/tiny/repository.json', ['repo', 'list'], /moss repo remove tiny/],
      ['.moss/lock.sqlite', ['install', 'other'], /remove it while no moss is at work/],
    ];
    await world.json('state', 'pin', '1');
    for (const [path, words, expected] of notes) {
      const intact = readFileSync(inRoot(path));
      writeFileSync(inRoot(path), '{ "states": 1, "urls": 1 } is no SQLite either');
      const { code, message, hint } = await world.json(...words);
      assert.notEqual(code, 'bug');
      assert.match(String(message), new RegExp(path.split('/').at(-1) ?? ''));
      assert.match(String(hint), expected);
      writeFileSync(inRoot(path), intact);
    }
  });

  test('a root whose active state was lost says how to go on', async () => {
    const target = readlinkSync(inRoot('.moss/current'));
    rmSync(inRoot('.moss/current'));
    const { code, hint } = await world.json('verify');
    assert.equal(code, 'damaged');
    assert.match(String(hint), /moss state activate \d+/);
    // Else a change would begin anew, and forget what was installed.
    for (const words of [['list'], ['install', 'other'], ['remove', 'other']]) assert.equal((await world.json(...words))['code'], 'damaged', words[0]);
    symlinkSync(target, inRoot('.moss/current'));
  });

  test('what one repository has no more keeps nothing else broken', async () => {
    const second = join(world.directory, 'second');
    await world.text('repo', 'init', second, '--name', 'second');
    await world.text('publish', second, world.package('third', '1.0'), world.package('fourth', '1.0', { files: { 'usr/share/fourth/x': 'x' } }));
    await world.text('repo', 'add', 'second', join(second, 'site'), '--yes');
    const state = Number((await world.json('install', 'third', 'fourth'))['state']);
    const [ours, theirs] = [text(12), 'usr/bin/third'];
    for (const path of [ours, theirs]) flip(inState(path, state));
    const blocks = join(second, 'site/blocks');
    renameSync(blocks, `${blocks}.away`);
    const { code, message } = await world.json('verify', '--repair');
    assert.equal(code, 'no-source');
    assert.match(String(message), /^third cannot be mended/);
    assert.deepEqual(findingsOf(await world.json('verify')), [`${theirs} altered`]);
    renameSync(`${blocks}.away`, blocks);
    await world.json('repo', 'remove', 'second');
    assert.match(String((await world.json('verify', '--repair'))['hint']), /moss repo add second/);
    await world.text('repo', 'add', 'second', join(second, 'site'), '--yes');
    await world.json('verify', '--repair');
    assert.deepEqual(findingsOf(await world.json('verify')), []);
  });

  test('a repository of which the note is damaged can be removed', async () => {
    writeFileSync(inRoot('.moss/repositories/tiny/repository.json'), '');
    assert.deepEqual((await world.json('repo', 'remove', 'tiny'))['urls'], []);
  });
});
