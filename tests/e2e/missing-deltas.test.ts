import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeRepository, noise, temporaryDirectory, type Repository } from './fixture.ts';
import { document, moss, mossDone } from './moss.ts';
import { visibleSystem } from './root-snapshot.ts';
import { writeVersion } from './versions.ts';
import { startWebServer, type WebServer } from './web-server.ts';

/** A package whose tables are blocks of their own. */
function writeMany(parent: string, version: number): string {
  const directory = join(parent, `many-${version}`);
  const write = (path: string, content: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  };
  write('moss.toml', `[package]\nname = "many"\nversion = "${version}"\nsummary = "Many files"\nprefix = ""\n`);
  for (let i = 0; i < 300; i++) write(`usr/share/many/${i * 7919}.txt`, `${noise(900, i).toString('base64')} ${i % 10 === 0 ? version : ''}\n`);
  return directory;
}

describe('an update of which one block of the deltas is nowhere', { timeout: 600_000 }, () => {
  const directory = temporaryDirectory('missing-deltas');
  const template = join(directory.path, 'template');
  const root = join(directory.path, 'root');
  const tree = (): string[] => visibleSystem(root).filter((line) => !line.startsWith('current '));
  /** What is said without a block, and what is fetched then, for each of them. */
  const outcomes: { warning: string; bytes: number }[] = [];
  let repository: Repository;
  let server: WebServer;
  let whole = 0;

  const reset = (): void => {
    rmSync(root, { recursive: true, force: true });
    cpSync(template, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    server.requests.length = 0;
  };
  const asked = (): string[] => [...new Set(server.requests.filter((path) => path.startsWith('/blocks/')))];

  before(async () => {
    repository = await makeRepository(directory.path, [writeVersion(directory.path, 1), writeMany(directory.path, 1)]);
    server = await startWebServer(repository.site);
    await mossDone(['repo', 'add', 'test', server.url, '--fingerprint', repository.fingerprint], { root: template });
    await mossDone(['install', 'app', 'many', '--yes'], { root: template });
    await mossDone(['publish', repository.directory, writeVersion(directory.path, 2), writeMany(directory.path, 2)]);
    await mossDone(['repo', 'update'], { root: template });
    reset();
    whole = (document(await mossDone(['sync', '--yes', '--json'], { root }))['ways'] as { withoutDeltas: number }).withoutDeltas;
    const right = tree();
    for (const block of asked()) {
      reset();
      server.behave = (path) => (path === block ? { do: 'status', code: 404 } : undefined);
      const ran = await moss(['sync', '--yes', '--json'], { root });
      const warning = /"message":"([^"]*not used[^"]*): cannot get/.exec(ran.stderr)?.[1];
      if (ran.status !== 0 || warning === undefined) continue;
      assert.deepEqual(tree(), right, warning);
      outcomes.push({ warning, bytes: asked().filter((path) => path !== block).reduce((sum, path) => sum + statSync(join(repository.site, path)).size, 0) });
    }
  });
  after(async () => {
    await server.close();
    directory.remove();
  });

  const bytesWithout = (warning: string): number[] => outcomes.filter((each) => each.warning === warning).map(({ bytes }) => bytes);

  it('uses the deltas of the other packages', () => {
    const [bytes = whole] = bytesWithout('the delta of many is not used');
    assert.ok(bytes < whole / 10, JSON.stringify(outcomes));
    assert.equal(bytesWithout('the delta of app is not used').length, 1, JSON.stringify(outcomes));
  });

  it('says of a file table that it is one, since files come by deltas all the same', () => {
    const bytes = bytesWithout('the delta of a file table of many is not used');
    assert.ok(bytes.length > 0 && bytes.every((each) => each < whole / 10), JSON.stringify(outcomes));
  });

  it('fetches whole only what that block would have brought', () => {
    const frames = outcomes.filter(({ warning }) => warning.startsWith('a delta is not used'));
    assert.ok(frames.length >= 5, JSON.stringify(outcomes));
    assert.ok(frames.filter(({ bytes }) => bytes < whole / 2).length >= 4, JSON.stringify(outcomes));
  });
});
