/**
 * From a tab to Node: the exchange over WebRTC-direct, WebSocket and WebTransport, beside a WebSocket that only sends.
 * `BENCH_BROWSER` names the ones to measure, and then nothing but their blocks.
 */
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Page } from 'playwright-core';
import { verifyBlock } from '../../core/dag/block.ts';
import { parseCid } from '../../core/dag/cid.ts';
import { PeerSource } from '../../core/exchange/peer-source.ts';
import { fetchBlocks } from '../../core/exchange/session.ts';
import { nodeClock } from '../../node/clock.ts';
import { nodeHasher } from '../../node/hasher.ts';
import { browserListening } from '../../node/peer/browser-listening.ts';
import { Host } from '../../node/peer/host.ts';
import { passingIdentity } from '../../node/peer/identity.ts';
import type { RemotePeer } from '../../node/peer/remote-peer.ts';
import { nodeCompressor } from '../../node/zstd.ts';
import type { Bench } from '../bench/run.ts';
import { storeFigures } from '../bench/browser-store.ts';
import { median, type Figure } from '../bench/report.ts';
import { SkippedError } from '../bench/programs.ts';
import { NO_QUIC } from '../node/webtransport/no-quic.ts';

const MIB = 1024 * 1024;
const LARGE = { count: 64, size: MIB };
const SMALL = { count: 8192, size: 4096 };
const PLAIN = 64 * MIB;
const CONNECTIONS = 8;
const TRANSPORTS = ['webrtc-direct', 'websocket', 'webtransport'] as const;
type Carrier = (typeof TRANSPORTS)[number];
const NAMES: Readonly<Record<Carrier, string>> = { 'webrtc-direct': 'WebRTC-direct', websocket: 'WebSocket', webtransport: 'WebTransport' };
const NAMED = process.env['BENCH_BROWSER']?.split(',');
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export const bench: Bench = async ({ cache, rounds, note }) => {
  // Compiled with the libraries of a browser, which this is not.
  const { bundle, launch, NO_CHROMIUM, servePages } = await import('./chromium.ts');
  const { launchTabs } = await import('./real-tabs.ts');
  if (NO_CHROMIUM !== false) throw new SkippedError(NO_CHROMIUM);
  const script = await bundle('tests/web/bench-page.ts');
  const pages = await servePages((path) => (path === '/page.js' ? { body: script, type: 'text/javascript' } : { body: '<!doctype html><script src="/page.js"></script>', type: 'text/html' }));
  const browser = await launch();
  const state = join(cache, 'browser-peer');
  const transports = TRANSPORTS.filter((each) => NAMED?.includes(each) ?? (each !== 'webtransport' || NO_QUIC === false));
  const measured = new Map<string, number[]>();
  const of = (what: string): number => median(measured.get(what) ?? []);
  const blocks = (transport: Carrier): Figure[] => [
    { what: `${NAMES[transport]}, 1 MiB blocks on one stream, MiB/s`, value: of(`${transport} large`), unit: 'ratio', goal: transport === 'webrtc-direct' ? { least: 20 } : undefined },
    { what: `${NAMES[transport]}, 4 KiB blocks on one stream`, value: of(`${transport} small`), unit: '/s', goal: transport === 'webrtc-direct' ? { least: 2500 } : undefined },
  ];
  const add = (what: string, value: number): void => void measured.set(what, [...(measured.get(what) ?? []), value]);
  try {
    const page = await browser.newPage();
    await page.goto(pages.url);
    const large = await page.evaluate(({ count, size }) => globalThis.hold(count, size), LARGE);
    const small = await page.evaluate(({ count, size }) => globalThis.hold(count, size), SMALL);
    for (let round = 0; round < rounds; round++) {
      add('plain', PLAIN / MIB / (await plainWebSocket(page)));
      for (const transport of transports) {
        const { host, peer, click } = await connect((...args) => page.evaluate(([addresses, each]) => globalThis.serve(addresses, each).then(() => undefined), args), transport, state);
        add(`${transport} click`, click);
        add(`${transport} large`, (LARGE.count * LARGE.size) / MIB / (await take(peer, large, LARGE.size)));
        add(`${transport} small`, SMALL.count / (await take(peer, small, SMALL.size)));
        await page.evaluate(() => globalThis.serving?.());
        await host.stop();
      }
      note(`round ${round + 1}: ${[...measured].map(([what, values]) => `${what} ${values.at(-1)?.toFixed(1)}`).join(', ')}`);
    }
    await browser.close();
    if (NAMED !== undefined) return transports.flatMap(blocks);
    const tabs = await launchTabs();
    try {
      const other = await tabs.open('about:blank');
      const tab = await tabs.open(pages.url);
      const held = await tab.evaluate(({ count, size }: typeof LARGE) => globalThis.hold(count, size), LARGE);
      const { host, peer } = await connect((...args) => tab.evaluate(([addresses, each]: typeof args) => globalThis.serve(addresses, each).then(() => undefined), args), 'webrtc-direct', state);
      for (let round = 0; round < rounds; round++) {
        for (const [what, front] of [['visible', tab], ['hidden', other]] as const) {
          await front.show();
          await until(() => tab.evaluate(() => document.visibilityState), what);
          add(what, (LARGE.count * LARGE.size) / MIB / (await take(peer, held, LARGE.size)));
        }
      }
      await host.stop();
    } finally {
      await tabs.close();
    }
  } finally {
    await browser.close();
    await pages.close();
    rmSync(state, { recursive: true, force: true });
  }
  return [
    { what: 'a plain WebSocket, MiB/s (nothing checked)', value: of('plain'), unit: 'ratio' },
    ...blocks('webrtc-direct'),
    { what: 'the same ÷ plain WebSocket, 1 MiB blocks', value: of('webrtc-direct large') / of('plain'), unit: 'ratio' },
    ...blocks('websocket'),
    ...(NO_QUIC === false ? blocks('webtransport') : [{ what: 'WebTransport, blocks on one stream', missing: NO_QUIC }]),
    { what: 'hidden tab ÷ visible tab, WebRTC-direct, 1 MiB blocks', value: of('hidden') / of('visible'), unit: 'ratio', goal: { least: 0.8 } },
    { what: 'from the start to the first connection, WebRTC-direct', value: of('webrtc-direct click'), unit: 'ms', goal: { most: 1000 } },
    ...(await storeFigures({ cache, rounds, note })),
  ];
};

type Serve = (addresses: string[], transport: Carrier) => Promise<void>;

/** @param state a directory for the certificates of the host */
async function connect(serve: Serve, transport: Carrier, state: string): Promise<{ host: Host; peer: RemotePeer; click: number }> {
  const met = Promise.withResolvers<RemotePeer>();
  const host = await Host.start(
    {
      key: passingIdentity(),
      scope: 'swarm',
      listen: { host: '127.0.0.1', port: 0, bulkPort: 0, webSocketPort: 0 },
      connections: CONNECTIONS,
      ...(await browserListening({ state, webTransport: transport === 'webtransport', connections: CONNECTIONS, onWarning: (message) => met.reject(new Error(message)) })),
    },
    { onPeer: met.resolve },
  );
  await host.handle(async (stream) => stream.abort());
  const start = performance.now();
  await serve(host.addresses.map(String), transport);
  return { host, peer: await met.promise, click: performance.now() - start };
}

async function until(state: () => Promise<string>, wanted: string): Promise<void> {
  for (let tries = 0; (await state()) !== wanted; tries++) {
    if (tries === 100) throw new Error(`the tab does not become ${wanted}`);
    await nodeClock.sleep(50);
  }
}

/** Gets and checks all blocks. @returns seconds */
async function take(peer: RemotePeer, cids: readonly string[], size: number): Promise<number> {
  const source = new PeerSource({ peer: { id: peer.id, scope: 'lan', transport: peer.transport, open: (options) => peer.openMuxed(options) }, clock: nodeClock, compressor: nodeCompressor, streams: 1 });
  const start = performance.now();
  await fetchBlocks(cids.map((cid) => ({ cid: parseCid(cid), maxBytes: size })), {
    sources: [source],
    clock: nodeClock,
    accept: ({ cid }, bytes) => verifyBlock(cid, bytes, nodeHasher),
  });
  const seconds = (performance.now() - start) / 1000;
  source.close();
  return seconds;
}

/** Sends as fast as it goes, to a server that only counts. @returns seconds */
async function plainWebSocket(page: Page): Promise<number> {
  const server = createServer();
  const done = Promise.withResolvers<number>();
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${GUID}`).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    const start = performance.now();
    let bytes = 0;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes < PLAIN) return;
      done.resolve((performance.now() - start) / 1000);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    await page.evaluate(([url, bytes]) => globalThis.flood(url, bytes).catch(() => undefined), [`ws://127.0.0.1:${port}/`, PLAIN] as const);
    return await done.promise;
  } finally {
    server.close();
  }
}
