import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeRepository, temporaryDirectory, writePackage } from './fixture.ts';
import { document, moss, mossDone } from './moss.ts';
import { visibleSystem } from './root-snapshot.ts';
import { startWebServer, type WebServer } from './web-server.ts';

const directory = temporaryDirectory('full');
const mount = join(directory.path, 'mount');
mkdirSync(mount);
// A file system of its own, so that nothing else of the machine runs out of space.
const mounted = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', mount]).status === 0;

describe('a full disk', { skip: mounted ? false : 'mounting a small file system needs root on Linux' }, () => {
  let server: WebServer;
  const root = join(mount, 'root');
  const template = join(directory.path, 'template');
  const filler = join(mount, 'filler');

  before(async () => {
    const packages = [writePackage(directory.path, { name: 'old', small: 4 }), writePackage(directory.path, { name: 'new', small: 60, large: 4_000_000, depends: ['old'] })];
    const repository = await makeRepository(directory.path, packages);
    server = await startWebServer(repository.site);
    await mossDone(['repo', 'add', 'test', server.url, '--fingerprint', repository.fingerprint], { root: template });
    await mossDone(['install', 'old', '--yes'], { root: template });
  });
  after(async () => {
    await server.close();
    spawnSync('umount', [mount]);
    directory.remove();
  });

  const fillUpTo = (free: number): void => {
    rmSync(root, { recursive: true, force: true });
    rmSync(filler, { force: true });
    cpSync(template, root, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
    const { bavail, bsize } = statfsSync(mount);
    writeFileSync(filler, Buffer.alloc(Math.max(0, bavail * bsize - free * 1024)));
  };

  it('without any space left is read, and made room on', async () => {
    const size = 500_000;
    fillUpTo(size / 1000);
    writeFileSync(join(root, '.moss/staging/left'), Buffer.alloc(size));
    appendFileSync(filler, Buffer.alloc(statfsSync(mount).bavail * statfsSync(mount).bsize));
    for (const verb of ['list', 'verify']) assert.equal((await moss([verb], { root })).status, 0, verb);
    assert.ok((document(await moss(['cache', 'prune', '--yes', '--json'], { root }))['total'] as { bytes: number }).bytes >= size);
    assert.match((await mossDone(['list'], { root })).stdout, /old/);
  });

  it('that cannot be written to at all is read', async () => {
    fillUpTo(1000);
    spawnSync('mount', ['-o', 'remount,ro', mount]);
    try {
      assert.match((await mossDone(['list'], { root })).stdout, /old/);
      assert.equal((await moss(['verify'], { root })).status, 0);
      assert.equal(document(await moss(['remove', 'old', '--yes', '--json'], { root }))['code'], 'io');
    } finally {
      spawnSync('mount', ['-o', 'remount,rw', mount]);
    }
  });

  // From no space at all to nearly enough: each fails in another step.
  for (const free of [40, 400, 1500, 3000, 4000, 4300]) {
    it(`with ${free} KiB left is said clearly, leaves the old state, and the next run resumes`, async () => {
      fillUpTo(free);
      const old = visibleSystem(root);
      server.requests = [];
      const ran = await moss(['install', 'new', '--yes', '--json'], { root });
      if (ran.status === 0) {
        assert.ok(free >= 4000, 'it cannot have had the space');
        return;
      }
      assert.equal(ran.status, 1, ran.stdout + ran.stderr);
      const { code, hint } = document(ran);
      assert.equal(code, 'disk-full', ran.stdout);
      assert.ok(typeof hint === 'string');
      assert.deepEqual(visibleSystem(root), old);
      rmSync(filler);
      await mossDone(['install', 'new', '--yes'], { root });
      const blocks = server.requests.filter((path) => path.startsWith('/blocks/'));
      assert.ok(blocks.length - new Set(blocks).size <= 12, 'verified blocks came twice');
    });
  }
});
