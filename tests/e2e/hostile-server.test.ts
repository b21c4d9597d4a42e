import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeRepository, temporaryDirectory, writePackage } from './fixture.ts';
import { HOSTILE_CASES } from './hostile-cases.ts';
import { document, moss, mossDone } from './moss.ts';
import { visibleSystem } from './root-snapshot.ts';
import { startWebServer, type WebServer } from './web-server.ts';

/** With one second of patience: the waits between tries, and a machine that does other things. */
const USUAL = 30_000;

describe('a web server that misbehaves', () => {
  const directory = temporaryDirectory('hostile');
  const template = join(directory.path, 'template');
  let server: WebServer;
  /** Blocks that are here before the server turns bad. */
  let known: Set<string>;

  before(async () => {
    const packages = [writePackage(directory.path, { name: 'old', small: 4, configuration: 'x = 1\n' }), writePackage(directory.path, { name: 'new', small: 30, large: 2_500_000, depends: ['old'] })];
    const repository = await makeRepository(directory.path, packages);
    server = await startWebServer(repository.site);
    await mossDone(['repo', 'add', 'test', server.url, '--fingerprint', repository.fingerprint], { root: template });
    await mossDone(['install', 'old', '--yes'], { root: template });
    writeFileSync(join(template, '.moss/config.toml'), 'timeout = 1\n');
    known = new Set(server.requests);
  });
  after(async () => {
    await server.close();
    directory.remove();
  });

  for (const [i, { name, on, behave, expect, within = USUAL }] of HOSTILE_CASES.entries()) {
    it(`${on}: ${name}`, async () => {
      const around = join(directory.path, `case-${i}`);
      const root = join(around, 'root');
      mkdirSync(around);
      cpSync(template, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
      const old = visibleSystem(root);
      server.behave = (path, times) => {
        const concerned = on === 'blocks' ? path.startsWith('/blocks/') && !known.has(path) : on === 'timestamp' ? path.endsWith('timestamp.json') : path.startsWith('/metadata/');
        if (!concerned) return undefined;
        return typeof behave === 'function' ? behave(times, path) : behave;
      };
      server.requests = [];
      const ran = await moss(on === 'blocks' ? ['install', 'new', '--yes', '--json'] : ['repo', 'update', '--json'], { root });
      server.behave = () => undefined;
      assert.ok(ran.ms < within, `it took ${Math.round(ran.ms)} ms`);
      assert.deepEqual(readdirSync(around), ['root'], 'nothing is written outside of the root');
      const said = document(ran);
      if (expect === 'success') assert.equal(ran.status, 0, JSON.stringify(said));
      else {
        assert.deepEqual({ code: said['code'], exit: ran.status }, expect, JSON.stringify(said));
        assert.deepEqual(visibleSystem(root), old, 'the old state is whole');
        // And nothing is broken by it: with a good server the same command succeeds.
        await mossDone(on === 'blocks' ? ['install', 'new', '--yes'] : ['repo', 'update'], { root });
      }
      rmSync(around, { recursive: true });
    });
  }
});
