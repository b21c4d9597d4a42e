/** A race on virtual time: a webseed and peers of all kinds bring the same blocks, over lines with rates. */
import { rawBlock, verifyBlock, type Block } from '../../../core/dag/block.ts';
import { MossError } from '../../../core/error.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { fetchBlocks, type SessionReport } from '../../../core/exchange/session.ts';
import type { Want } from '../../../core/exchange/want.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemoryBlockstore } from '../../../core/memory/blockstore.ts';
import { MemoryHoldings } from '../../../core/memory/holdings.ts';
import { SeededRandom } from '../../../core/memory/random.ts';
import { MemorySource } from '../../../core/memory/source.ts';
import { Link, MemoryPeer } from '../../../core/memory/stream.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Source } from '../../../core/ports/source.ts';
import type { PeerScope, Stream, StreamHandler } from '../../../core/ports/transport.ts';
import { nodeHasher } from '../../../node/hasher.ts';

/** Blocks whose sizes are those of frames: most are small, some are full. */
export async function someBlocks(count: number, seed: number, largest = 1024 * 1024): Promise<Block[]> {
  const random = new SeededRandom(seed);
  return Promise.all(
    Array.from({ length: count }, () => {
      const [a = 0, b = 0] = random.bytes(2);
      return rawBlock(random.bytes(Math.max(1000, Math.floor((largest * (a + 1) * (b + 1)) / 65_536))), nodeHasher);
    }),
  );
}

export interface PeerOptions {
  scope?: PeerScope;
  /** Bytes a second, and milliseconds one way. */
  rate?: number;
  latency?: number;
  /** Which blocks it has: all, unless it is said. */
  has?: (index: number) => boolean;
  /** For which blocks it sends other bytes. */
  lies?: (index: number) => boolean;
  /** What it does instead of serving. */
  handler?: (clock: Clock) => StreamHandler;
  /** Takes no streams; or vanishes at this time. */
  dead?: boolean;
  vanishesAt?: number;
}

export interface RaceOptions {
  blocks: readonly Block[];
  webseed?: { rate: number; latency?: number; concurrency?: number } | undefined;
  peers?: readonly PeerOptions[];
  seed?: number;
  /** Blocks that a second run need not fetch. */
  already?: ReadonlySet<string>;
  /** Milliseconds that taking a block in takes. */
  acceptTime?: number;
}

/** Milliseconds after which a race is given up: nothing that is tested takes so long. */
const LONGEST = 600_000;

export interface Outcome {
  error: MossError | undefined;
  ms: number;
  accepted: Set<string>;
  /** Bytes that came from the webseed, and from each peer, as the session counted them. */
  fromWebseed: number;
  fromPeers: number[];
  banned: string[];
  report: SessionReport | undefined;
  /** Bytes that were wanted. */
  total: number;
}

export async function race({ blocks, webseed, peers = [], seed = 1, already = new Set(), acceptTime = 0 }: RaceOptions): Promise<Outcome> {
  const clock = new VirtualClock();
  const store = new MemoryBlockstore();
  for (const { cid, bytes } of blocks) await store.put(cid, bytes);
  const sources: Source[] = [];
  if (webseed !== undefined) {
    const { rate, latency = 20, concurrency = 12 } = webseed;
    sources.push(new MemorySource({ name: 'webseed', blocks: store, clock, latency, concurrency, line: new Link(rate) }));
  }
  const made = peers.map((options, i) => makePeer(`peer ${i}`, options, blocks, clock));
  for (const peer of made) sources.push(new PeerSource({ peer, clock }));
  for (const [i, { vanishesAt }] of peers.entries()) if (vanishesAt !== undefined) void clock.sleep(vanishesAt).then(() => made[i]?.vanish());
  const outcome: Outcome = { error: undefined, ms: 0, accepted: new Set(), fromWebseed: 0, fromPeers: peers.map(() => 0), banned: [], report: undefined, total: 0 };
  const wants: Want[] = blocks.filter(({ cid }) => !already.has(cid.toString())).map(({ cid, bytes }) => ({ cid, maxBytes: bytes.length }));
  outcome.total = wants.reduce((sum, { maxBytes }) => sum + maxBytes, 0);
  const work = fetchBlocks(wants, {
    sources,
    clock,
    random: new SeededRandom(seed),
    self: 'asker',

    accept: async ({ cid }, bytes) => {
      await clock.sleep(acceptTime);
      await verifyBlock(cid, bytes, nodeHasher);
      if (outcome.accepted.has(cid.toString())) throw new Error('accepted twice');
      outcome.accepted.add(cid.toString());
    },
    onBytes: (source, count) => {
      const at = made.findIndex(({ id }) => id === source.name);
      if (at === -1) outcome.fromWebseed += count;
      else outcome.fromPeers[at] = (outcome.fromPeers[at] ?? 0) + count;
    },
    onBan: ({ name }) => outcome.banned.push(name),
  });
  try {
    const late = clock.sleep(LONGEST).then(() => {
      throw new Error('the race does not end');
    });
    late.catch(() => undefined);
    outcome.report = await clock.run(Promise.race([work, late]));
  } catch (error) {
    if (!(error instanceof MossError)) throw error;
    outcome.error = error;
  }
  outcome.ms = clock.now();
  return outcome;
}

function makePeer(id: string, options: PeerOptions, blocks: readonly Block[], clock: VirtualClock): MemoryPeer {
  const { scope = 'lan', rate = 100_000_000, latency = 1, has = () => true, lies = () => false, handler, dead = false } = options;
  const holdings = new MemoryHoldings();
  for (const [i, { cid, bytes }] of blocks.entries()) if (has(i)) holdings.addBlock(cid, lies(i) ? new Uint8Array(bytes.length) : bytes);
  const server = new ExchangeServer({ holdings, clock });
  const peer = new MemoryPeer({ id, scope, clock, latency, back: [new Link(rate)], handler: handler?.(clock) ?? server.handle });
  if (dead) peer.vanish();
  return peer;
}

/** Reads and throws away whatever comes. */
export async function swallow(stream: Stream): Promise<void> {
  while ((await stream.read()) !== undefined);
}
