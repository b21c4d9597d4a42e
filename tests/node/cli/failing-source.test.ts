import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { noise } from '../../fixtures/noise.ts';
import { World, type Document } from './world.ts';

/** Bytes of each of the large files: two fill more than one frame. */
const LARGE = 900_000;
const FILES = 3;

describe('what an installation brought before its source failed', { timeout: 120_000 }, () => {
  const world = new World();
  /** Of the large blocks, the one that never comes. */
  let held: string | undefined;
  let fails = true;
  let server: Server;
  let failed: Document;

  before(async () => {
    await world.text('repo', 'init', world.repository, '--name', 'tiny');
    const files = Object.fromEntries(Array.from({ length: FILES }, (_, i) => [`usr/lib/big/${i}`, Buffer.from(noise((LARGE * 3) / 4, 2 * i + 1)).toString('base64')]));
    await world.text('publish', world.repository, world.package('big', '1.0', { files }));
    const site = join(world.repository, 'site');
    held = readdirSync(join(site, 'blocks')).find((name) => statSync(join(site, 'blocks', name)).size > LARGE / 2);
    server = createServer((request, response) => {
      void (async () => {
        const file = join(site, request.url ?? '');
        if (fails && request.url === `/blocks/${held}`) {
          // The others are here by then, and verified.
          while (staged() < FILES - 1) await delay(20);
          response.destroy();
        } else if (existsSync(file)) response.end(readFileSync(file));
        else response.writeHead(404).end();
      })();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    await world.text('repo', 'add', 'tiny', `http://127.0.0.1:${address.port}`, '--yes');
    failed = await world.json('install', 'big');
    fails = false;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    world.remove();
  });

  /** Large files in the staging directory. */
  function staged(): number {
    const staging = join(world.root, '.moss', 'staging');
    const names = existsSync(staging) ? readdirSync(staging, { recursive: true }) : [];
    return names.filter((name) => /(?:^|\/)b[a-z2-7]{58}$/.test(String(name)) && (statSync(join(staging, String(name)), { throwIfNoEntry: false })?.size ?? 0) > LARGE / 2).length;
  }

  async function fetched(): Promise<number> {
    const { total } = await world.json('stats');
    return (total as { received: { webseed: number } }).received.webseed;
  }

  test('counts as fetched, is not fetched again, and is told as here already', async () => {
    assert.equal(failed['code'], 'source-failed');
    const first = await fetched();
    assert.ok(first > LARGE, `${first}`);
    const { ledger } = await world.json('install', 'big');
    const { here, webseed } = ledger as { here: number; webseed: number };
    assert.ok(here >= (FILES - 1) * LARGE, `${here}`);
    assert.ok(webseed < 1.2 * LARGE, `${webseed}`);
    assert.equal(await fetched(), first + webseed);
  });
});
