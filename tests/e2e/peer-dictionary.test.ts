/** A package whose files are compressed against a dictionary, from a peer alone: to be installed, and to be mended. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { translations } from '../fixtures/translations.ts';
import { makeRepository, temporaryDirectory, type Repository } from './fixture.ts';
import { document, moss, mossDone } from './moss.ts';
import { hintsOf, startDaemon, type RunningDaemon } from './peer-hosts.ts';
import { startWebServer, type WebServer } from './web-server.ts';

describe('a dictionary of a package, and a web server without its blocks', { timeout: 300_000 }, () => {
  const directory = temporaryDirectory('peer-dictionary');
  const [serving, client] = [join(directory.path, 'serving'), join(directory.path, 'client')];
  let repository: Repository;
  let server: WebServer;
  let daemon: RunningDaemon;

  const add = async (root: string): Promise<void> => {
    await mossDone(['repo', 'add', 'test', server.url, '--fingerprint', repository.fingerprint, '--yes'], { root });
    await mossDone(['share', 'on', '--scope', 'lan', '--yes'], { root });
  };

  before(async () => {
    const app = join(directory.path, 'app');
    const files = Object.entries(translations(1)).map(([path, content]) => [path, content] as const);
    for (const [path, content] of [...files, ['moss.toml', '[package]\nname = "app"\nversion = "1"\nprefix = ""\n'] as const]) {
      mkdirSync(dirname(join(app, path)), { recursive: true });
      writeFileSync(join(app, path), content);
    }
    repository = await makeRepository(directory.path, [app]);
    server = await startWebServer(repository.site);
    await add(serving);
    await mossDone(['install', 'app', '--yes'], { root: serving });
    // What others need stays.
    await mossDone(['cache', 'prune', '--yes'], { root: serving });
    daemon = await startDaemon(serving);
    await add(client);
    server.behave = (path) => (path === '/moss.json' ? { do: 'bytes', change: () => hintsOf(daemon.addresses) } : path.startsWith('/blocks/') ? { do: 'status', code: 404 } : undefined);
  });
  after(async () => {
    await daemon.stop();
    await server.close();
    directory.remove();
  });

  it('is installed from a peer', async () => {
    await mossDone(['install', 'app', '--yes'], { root: client });
    assert.equal((await moss(['verify'], { root: client })).status, 0);
  });

  it('is mended from a peer', async () => {
    const path = join(client, 'usr/share/locale/de/LC_MESSAGES/one.mo');
    chmodSync(path, 0o644);
    writeFileSync(path, '');
    const ran = await mossDone(['verify', '--repair', '--yes', '--json'], { root: client });
    assert.equal((document(ran)['repaired'] as { files: number }).files, 1);
    assert.equal((await moss(['verify'], { root: client })).status, 0);
  });
});
