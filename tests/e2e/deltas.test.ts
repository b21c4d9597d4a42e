import assert from 'node:assert/strict';
import { cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeRepository, temporaryDirectory, type Repository } from './fixture.ts';
import { document, moss, mossDone, type Ran } from './moss.ts';
import { visibleSystem } from './root-snapshot.ts';
import { alterStored, storedFile, writeVersion } from './versions.ts';
import { startWebServer, type WebServer } from './web-server.ts';

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
      alterStored(root, path);
      const ran = await sync();
      assert.deepEqual(tree(), fresh, path);
      assert.match(ran.stderr, /a delta is not used/, path);
    }
  });

  it('plans full frames where a base is missing, or looks altered', async () => {
    reset();
    rmSync(storedFile(root, 'usr/bin/app'));
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
