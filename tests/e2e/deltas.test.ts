import assert from 'node:assert/strict';
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync, mkdirSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeRepository, noise, temporaryDirectory, type Repository } from './fixture.ts';
import { document, moss, mossDone, type Ran } from './moss.ts';
import { visibleSystem } from './root-snapshot.ts';
import { startWebServer, type WebServer } from './web-server.ts';

const MEGABYTE = 1024 * 1024;

/** A package with a bit of everything, whose versions differ a little everywhere. */
function writeVersion(parent: string, version: number): string {
  const directory = join(parent, `app-${version}`);
  const write = (path: string, content: string | Uint8Array, mode = 0o644): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
    chmodSync(join(directory, path), mode);
  };
  /** Bytes that hardly compress, with the version put into them here and there. */
  const stamped = (length: number, seed: number): Buffer => {
    const bytes = Buffer.alloc(length, noise(Math.min(length, MEGABYTE / 2), seed));
    for (let at = 1000; at < length; at += 200_000) bytes.write(`version ${version}`, at);
    return bytes;
  };
  write('moss.toml', `[package]\nname = "app"\nversion = "${version}"\nsummary = "An app"\nprefix = ""\n`);
  write('usr/bin/app', stamped(300_000, 3), 0o755);
  write(`usr/lib/app/libapp.so.${version}.0`, stamped(100_000, 5));
  if (version <= 2) write('usr/share/app/large.bin', Buffer.concat([Buffer.from(`${version} `.repeat(version)), stamped(9 * MEGABYTE, 7)]));
  for (let i = 0; i < 30; i++) write(`usr/share/app/text-${i}.txt`, `${noise(1500, i).toString('base64')} ${i % 2 === 0 ? version : ''}\n`);
  const changelog = Array.from({ length: version + 20 }, (_, i) => `app (${i})\n  * ${noise(600, i).toString('base64')}\n`).toReversed().join('');
  write('usr/share/doc/app/changelog.gz', gzip(changelog));
  if (version > 1) write('usr/share/app/new.bin', noise(20_000, 11));
  return directory;
}

function gzip(text: string): Buffer {
  return spawnSync('gzip', ['-9nc'], { input: text }).stdout;
}

/** What the plan said of bytes. */
function ways(ran: Ran): { deltas: number; frames: number; withoutDeltas: number } {
  return document(ran)['ways'] as { deltas: number; frames: number; withoutDeltas: number };
}

describe('an update by deltas', () => {
  const directory = temporaryDirectory('deltas');
  const template = join(directory.path, 'template');
  const root = join(directory.path, 'root');
  const version = (number: number): string => writeVersion(directory.path, number);
  let repository: Repository;
  let server: WebServer;
  let fresh: string[];
  /** Blocks of the first version: what is new after it came with the second. */
  let firstBlocks: Set<string>;

  const blocks = (): string[] => readdirSync(join(repository.site, 'blocks'));
  const reset = (): void => {
    rmSync(root, { recursive: true, force: true });
    cpSync(template, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    server.behave = () => undefined;
    server.requests.length = 0;
  };
  const sync = (): Promise<Ran> => mossDone(['sync', '--yes', '--json'], { root });
  const fetched = (): number =>
    server.requests.filter((path) => path.startsWith('/blocks/')).reduce((sum, path) => sum + (statSync(join(repository.site, path), { throwIfNoEntry: false })?.size ?? 0), 0);
  /** The file of the store that holds the content of a path. */
  const stored = (path: string): string => {
    const content = readFileSync(join(root, path));
    const store = join(root, '.moss/store');
    const same = (name: string): boolean => {
      const stat = statSync(join(store, name));
      return stat.isFile() && stat.size === content.length && readFileSync(join(store, name)).equals(content);
    };
    const found = readdirSync(store, { recursive: true, encoding: 'utf8' }).find(same);
    assert.ok(found !== undefined, `${path} is in the store`);
    return join(store, found);
  };
  /** All but the number of the state. */
  const tree = (): string[] => visibleSystem(root).filter((line) => !line.startsWith('current '));

  before(async () => {
    repository = await makeRepository(directory.path, [version(1)], 'repository');
    firstBlocks = new Set(blocks());
    server = await startWebServer(repository.site);
    await mossDone(['repo', 'add', 'test', server.url, '--fingerprint', repository.fingerprint], { root: template });
    await mossDone(['install', 'app', '--yes'], { root: template });
    const { stdout } = await mossDone(['publish', repository.directory, version(2), '--json']);
    const published = JSON.parse(stdout) as { deltas: number; deltasMade: number };
    assert.deepEqual([published.deltas, published.deltasMade], [1, 1]);
    await mossDone(['repo', 'add', 'test', server.url, '--fingerprint', repository.fingerprint], { root });
    await mossDone(['install', 'app', '--yes'], { root });
    fresh = tree();
  });
  after(async () => {
    await server.close();
    directory.remove();
  });

  it('gives what a fresh installation gives, for a small part of the bytes', async () => {
    reset();
    const ran = await sync();
    assert.deepEqual(tree(), fresh);
    const { deltas, frames, withoutDeltas } = ways(ran);
    assert.ok(deltas > 0 && frames === 0, JSON.stringify(ways(ran)));
    assert.ok(fetched() < withoutDeltas / 50, `${fetched()} of ${withoutDeltas} bytes`);
    assert.equal(ran.stderr.includes('"type":"warning"'), false, ran.stderr);
    await mossDone(['verify'], { root });
  });

  it('is told of before it is done, in bytes', async () => {
    reset();
    const { stdout } = await mossDone(['sync', '--dry-run'], { root });
    assert.match(stdout, /to fetch \([\d.]+ kB as deltas; [\d.]+ MB without them\)/);
  });

  it('asks for nothing of deltas when something is installed for the first time', async () => {
    reset();
    rmSync(root, { recursive: true });
    await mossDone(['repo', 'add', 'test', server.url, '--fingerprint', repository.fingerprint], { root });
    await mossDone(['install', 'app', '--yes'], { root });
    const updated = new Set(server.requests.filter((path) => path.startsWith('/blocks/')));
    reset();
    await sync();
    const deltas = server.requests.filter((path) => path.startsWith('/blocks/') && !updated.has(path));
    assert.ok(deltas.length >= 3, 'the list, the delta and a frame');
  });

  it('starts anew with full frames where a base was altered, though size and time are as they were', async () => {
    for (const path of ['usr/share/app/large.bin', 'usr/bin/app', 'usr/share/doc/app/changelog.gz']) {
      reset();
      const file = stored(path);
      const { mtime } = statSync(file);
      const bytes = readFileSync(file);
      for (let at = 2000; at < bytes.length; at += 50_000) bytes[at] = (bytes[at] ?? 0) ^ 0x55;
      chmodSync(file, 0o644);
      writeFileSync(file, bytes);
      chmodSync(file, path === 'usr/bin/app' ? 0o555 : 0o444);
      utimesSync(file, mtime, mtime);
      const ran = await sync();
      assert.deepEqual(tree(), fresh, path);
      assert.match(ran.stderr, /a delta is not used/, path);
    }
  });

  it('plans full frames where a base is missing, or looks altered', async () => {
    reset();
    rmSync(stored('usr/bin/app'));
    const ran = await sync();
    assert.deepEqual(tree(), fresh);
    assert.ok(ways(ran).frames > 200_000 && ways(ran).deltas > 0, JSON.stringify(ways(ran)));
  });

  it('does without each block of a delta that no source has, or that is damaged', async () => {
    reset();
    await sync();
    const asked = [...new Set(server.requests.filter((path) => path.startsWith('/blocks/')))];
    let fell = 0;
    for (const [i, path] of asked.entries()) {
      for (const behaviour of [{ do: 'status', code: 404 } as const, { do: 'bytes', change: (bytes: Buffer) => bytes.fill(0, 0, 10) } as const].slice(i % 2, (i % 2) + 1)) {
        reset();
        server.behave = (each) => (each === path ? behaviour : undefined);
        const ran = await moss(['sync', '--yes', '--json'], { root });
        if (ran.status !== 0) {
          // The root block and the index are not a delta's.
          assert.equal(server.requests.some((each) => each === asked.at(-1)), false, `${path}: ${ran.stdout}`);
          continue;
        }
        assert.deepEqual(tree(), fresh, path);
        fell++;
      }
    }
    assert.ok(fell >= 5, `${fell} fell back`);
  });

  it('goes on after it was interrupted', async () => {
    reset();
    server.behave = (path) => (firstBlocks.has(path.slice('/blocks/'.length)) ? undefined : { do: 'delay', ms: 40 });
    for (const killed of [1, 2, 3]) {
      let steps = 0;
      await moss(['sync', '--yes', '--json'], {
        root,
        onStderr: (text, kill) => {
          steps += text.split('"type":"done","unit":"bytes"').length - 1;
          if (steps >= killed) kill('SIGKILL');
        },
      });
    }
    server.behave = () => undefined;
    await sync();
    assert.deepEqual(tree(), fresh);
    await mossDone(['verify'], { root });
  });

  it('skips releases, as far back as deltas were made', async () => {
    const copy = join(directory.path, 'copy');
    cpSync(repository.directory, copy, { recursive: true });
    try {
      for (const number of [3, 4]) await mossDone(['publish', copy, version(number), '--deltas', '2']);
      server.directory = join(copy, 'site');
      reset();
      assert.equal(ways(await sync()).deltas, 0, 'version 1 is three releases before version 4');
      const ends = tree();
      await mossDone(['publish', copy, version(4), '--deltas', '3']);
      reset();
      const ran = ways(await sync());
      assert.ok(ran.deltas > 0 && ran.deltas + ran.frames < ran.withoutDeltas / 20, JSON.stringify(ran));
      assert.deepEqual(tree(), ends);
    } finally {
      server.directory = repository.site;
    }
  });
});
