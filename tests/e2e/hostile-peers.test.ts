/** Peers that lie, stall, flood or vanish, on real sockets: what a person who installs notices of them is nothing. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { nodeClock } from '../../node/clock.ts';
import type { Host } from '../../node/peer/host.ts';
import { HARMLESS, hostilePeers } from '../core/exchange/hostile-peers.ts';
import { makeRepository, noise, temporaryDirectory, writePackage, type Repository } from './fixture.ts';
import { document, moss, mossDone, type Ran } from './moss.ts';
import { hintsOf, startDaemon, startFlood, startHonest, startHost } from './peer-hosts.ts';
import { startWebServer, type WebServer } from './web-server.ts';

const BLOCK = 1024 * 1024;
const LARGE = 24 * BLOCK;
/** Blocks that the web server does not have while peers must bring them. */
const LARGE_BLOCK = 100_000;
/** KiB. */
const MOST_GROWTH = 64 * 1024;
/** Tells the most memory that the process had, in KiB. */
const PEAK = { NODE_OPTIONS: `--import "data:text/javascript,process.on('exit',()=>process.stderr.write('peak '+process.resourceUsage().maxRSS+' KiB'))"` };

describe('among peers on real sockets', { timeout: 600_000 }, () => {
  const { path, remove } = temporaryDirectory('hostile');
  const hosts: Host[] = [];
  let repository: Repository;
  let server: WebServer;
  let roots = 0;

  before(async () => {
    repository = await makeRepository(path, [writePackage(path, { name: 'suite', small: 100, large: LARGE }), writePackage(path, { name: 'base' })]);
    server = await startWebServer(repository.site);
  });
  beforeEach(async () => {
    await Promise.all(hosts.splice(0).map((host) => host.stop()));
    server.behave = answers();
  });
  after(async () => {
    await Promise.all(hosts.map((host) => host.stop()));
    await server.close();
    remove();
  });

  /** The web server knows the peers, and has small blocks only: the large ones must come from peers. */
  function answers(large: 'missing' | 'broken' | 'there' = 'missing', named?: readonly string[]): WebServer['behave'] {
    return (request) => {
      if (request === '/moss.json') return { do: 'bytes', change: () => hintsOf(named ?? hosts.flatMap(({ addresses }) => addresses.map(String))) };
      const size = statSync(join(repository.site, request), { throwIfNoEntry: false })?.size ?? 0;
      if (!request.startsWith('/blocks/') || size < LARGE_BLOCK || large === 'there') return undefined;
      return large === 'missing' ? { do: 'status', code: 404 } : { do: 'reset' };
    };
  }

  async function newRoot(): Promise<string> {
    const root = join(path, `root-${roots++}`);
    await mossDone(['repo', 'add', 'test', server.url, '--fingerprint', repository.fingerprint, '--yes'], { root });
    await mossDone(['share', 'on', '--scope', 'lan', '--yes'], { root });
    await mossDone(['config', 'set', 'timeout', '2'], { root });
    await mossDone(['config', 'set', 'peer-host', '127.0.0.1'], { root });
    return root;
  }

  test('an honest one among one of each kind of liar brings all, each liar costs a block at most, and memory stays', async () => {
    hosts.push(await startHonest(repository.site));
    const alone = await install(await newRoot());
    const kinds = new Map<string, string>();
    const asked = new Set<string>();
    for (const [kind, handler] of Object.entries(hostilePeers(nodeClock))) {
      const host = await startHost((stream, from) => {
        asked.add(kind);
        return handler(stream, from);
      });
      kinds.set(host.id, kind);
      hosts.unshift(host);
    }
    const root = await newRoot();
    const among = await install(root);
    await isWhole(root);
    const peers = document(await mossDone(['peers', '--all', '--json'], { root }))['peers'] as { id: string; received: number; banned: unknown }[];
    const blocks = join(repository.site, 'blocks');
    const largest = Math.max(...readdirSync(blocks).map((name) => statSync(join(blocks, name)).size));
    const banned = new Set<string>();
    for (const { id, received, banned: ban } of peers) {
      const kind = kinds.get(id);
      if (kind === undefined) {
        assert.equal(ban, null);
        continue;
      }
      assert.ok(received <= largest, `${kind}: ${received} bytes`);
      if (ban !== null) banned.add(kind);
    }
    assert.equal(asked.size, kinds.size, 'a stream to each was opened');
    assert.ok(banned.size >= 5, [...banned].join());
    // Of a block of a few bytes, what these send is all, and wrong.
    const mayLie = new Set(['the head of a block, and then nothing', 'a byte a second']);
    for (const kind of banned) assert.ok(mayLie.has(kind) || !HARMLESS.has(kind), kind);
    assert.ok(alone.lan / among.lan >= 0.8, `${alone.lan} bytes from the honest one alone, ${among.lan} from all together`);
    assert.ok(among.peak - alone.peak <= MOST_GROWTH, `${alone.peak} KiB alone, ${among.peak} KiB among liars`);
  });

  test('a daemon that is flooded with wants and a thousand connections serves on, and its memory stays', async () => {
    hosts.push(await startHonest(repository.site));
    const holder = await newRoot();
    await install(holder);
    const [asking, quiet] = [await newRoot(), hosts.splice(0)];
    await Promise.all(quiet.map((host) => host.stop()));
    const [served, asks] = [await startDaemon(holder), await startDaemon(asking)];
    const address = served.addresses.find((each) => each.startsWith('/ip4/127.')) ?? '';
    // They know each other before the flood begins.
    server.behave = answers('missing', [address]);
    await mossDone(['daemon', '--stop'], { root: asking });
    await asks.ended;
    const again = await startDaemon(asking);
    while ((document(await mossDone(['peers', '--json'], { root: asking }))['peers'] as unknown[]).length === 0) await delay(200);
    const calm = residentOf(served.pid);
    const samples: number[] = [];
    const sampling = setInterval(() => samples.push(residentOf(served.pid)), 50);
    const flood = await startFlood(address, { connections: 1000, streams: 8 });
    try {
      const { lan } = await install(asking);
      await isWhole(asking);
      assert.ok(flood.wants > 100_000, `${flood.wants} wants`);
      assert.ok(lan > LARGE);
      // What it has for more than a moment: garbage that V8 has not got to on a busy machine comes and goes.
      const usual = samples.toSorted((a, b) => a - b)[samples.length >> 1] ?? Infinity;
      assert.ok(usual - calm <= MOST_GROWTH, `${calm} KiB before, ${usual} KiB half of the time, ${Math.max(...samples)} KiB at most`);
    } finally {
      clearInterval(sampling);
      await flood.stop();
      for (const each of [served, again]) await each.stop();
    }
  });

  test('with nine of ten gone in the middle, the last one brings the rest', async () => {
    let served = 0;
    let gone: Promise<unknown> | undefined;
    for (let i = 0; i < 10; i++) {
      hosts.push(
        await startHonest(repository.site, (bytes) => {
          served += bytes;
          if (served > LARGE / 3) gone ??= Promise.all(hosts.slice(1).map((host) => host.stop()));
        }),
      );
    }
    const root = await newRoot();
    const { lan, webseed } = await install(root);
    await isWhole(root);
    assert.ok(gone !== undefined);
    await gone;
    // Of each that vanished, two blocks were under way.
    assert.ok(lan > LARGE && lan < LARGE + 9 * 2 * BLOCK, `${lan}`);
    assert.ok(webseed < BLOCK, `${webseed}`);
  });

  test('with the web server and the last peer gone in the middle it is exit 75 and the old state is whole; a later run goes on from there', async () => {
    const root = await newRoot();
    await mossDone(['install', 'base', '--yes'], { root });
    server.behave = answers('broken');
    let served = 0;
    let gone: Promise<void> | undefined;
    const host = await startHonest(repository.site, (bytes) => {
      served += bytes;
      if (served > LARGE / 2) gone ??= host.stop();
    });
    hosts.push(host);
    const failed = await moss(['install', 'suite', '--yes'], { root });
    assert.equal(failed.status, 75, failed.stderr);
    await gone;
    assert.equal(existsSync(join(root, 'usr/bin/base')), true);
    assert.equal(existsSync(join(root, 'usr/bin/suite')), false);
    await mossDone(['verify'], { root });
    server.behave = answers('there');
    const { webseed } = await install(root);
    await isWhole(root);
    assert.ok(webseed < 0.75 * LARGE, `${webseed}`);
  });
});

/** What a process has, in KiB. */
function residentOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function peakOf({ stderr }: Ran): number {
  const [, peak] = /peak (\d+) KiB/.exec(stderr) ?? [];
  return Number(peak);
}

async function install(root: string): Promise<{ lan: number; webseed: number; peak: number }> {
  const ran = await mossDone(['install', 'suite', '--yes', '--json'], { root, env: PEAK });
  const { lan = 0, webseed = 0 } = document(ran)['ledger'] as Record<string, number>;
  return { lan, webseed, peak: peakOf(ran) };
}

async function isWhole(root: string): Promise<void> {
  assert.ok(readFileSync(join(root, 'usr/lib/suite/large.bin')).equals(noise(LARGE, 'suite'.length * 7919 + '1.0'.length)));
  await mossDone(['verify'], { root });
}
