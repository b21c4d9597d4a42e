/** What the benchmark's page does: it holds blocks in memory and serves them, or sends as fast as a plain WebSocket takes. */
import { rawBlock } from '../../core/dag/block.ts';
import { ExchangeServer } from '../../core/exchange/server.ts';
import { MemoryHoldings } from '../../core/memory/holdings.ts';
import { MemoryMetadataStore } from '../../core/memory/metadata-store.ts';
import { webClock } from '../../web/clock.ts';
import { webHasher } from '../../web/hasher.ts';
import { tabNetwork, type Dialled } from '../../web/net/tab-network.ts';

declare global {
  var hold: (count: number, size: number) => Promise<string[]>;
  var serve: (addresses: string[], transport: Dialled) => Promise<() => Promise<void>>;
  var serving: (() => Promise<void>) | undefined;
  var flood: (url: string, bytes: number) => Promise<void>;
}

const holdings = new MemoryHoldings();

/** Blocks of noise. @returns their CIDs */
globalThis.hold = async (count, size) => {
  const cids: string[] = [];
  for (let i = 0; i < count; i++) {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    const { cid } = await rawBlock(bytes, webHasher);
    holdings.addBlock(cid, bytes);
    cids.push(cid.toString());
  }
  return cids;
};

globalThis.serve = async (addresses, transport) => {
  const server = new ExchangeServer({ holdings, clock: webClock() });
  const { hostname, protocol } = location;
  const open = tabNetwork({ connections: 8, page: { hostname, isSecure: protocol === 'https:' }, transports: [transport] });
  const network = await open({ records: new MemoryMetadataStore(), handler: server.handle, onChange: () => undefined });
  await network.dial(addresses);
  globalThis.serving = () => network.close();
  return globalThis.serving;
};

globalThis.flood = (url, bytes) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const message = new Uint8Array(64 * 1024);
    let left = bytes;
    const fill = (): void => {
      for (; left > 0 && socket.bufferedAmount < 4 * 1024 * 1024; left -= message.length) socket.send(message);
      if (left > 0) setTimeout(fill, 0);
    };
    socket.addEventListener('open', fill);
    socket.addEventListener('close', () => resolve());
    socket.addEventListener('error', () => reject(new Error('the WebSocket failed')));
  });
