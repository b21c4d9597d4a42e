/**
 * A crowd on virtual time: many who fetch the same from one web server and from each other. Sessions, servers, sources and
 * messages are the real ones; lines and delays are simulated.
 */
import { setImmediate } from 'node:timers/promises';
import { verifyBlock, type Block } from '../../../core/dag/block.ts';
import { MossError } from '../../../core/error.ts';
import { News } from '../../../core/exchange/news.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { fetchBlocks } from '../../../core/exchange/session.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { SeededRandom } from '../../../core/memory/random.ts';
import { Link, MemoryPeer } from '../../../core/memory/stream.ts';
import type { Clock } from '../../../core/ports/clock.ts';
import type { Content, Holdings, Wanted } from '../../../core/ports/holdings.ts';
import type { BlockRequest, GetOptions, Source } from '../../../core/ports/source.ts';
import type { Stream } from '../../../core/ports/transport.ts';
import { nodeHasher } from '../../../node/hasher.ts';

export interface CrowdOptions {
  size: number;
  blocks: readonly Block[];
  /** Bytes a second of the web server's line, for all of them together. */
  originRate: number;
  /** How many others each knows: chosen by chance, and both know each other. */
  neighbours: number;
  /** Milliseconds in which they begin, one after the other. */
  within?: number;
  /** Whether there are peers at all: without, all fetch from the web server alone. */
  peers?: boolean;
  seed?: number;
}

export interface CrowdOutcome {
  /** What left the web server, wanted or not, by what is in one copy. */
  copies: number;
  /** Milliseconds that each took, in ascending order. */
  times: number[];
  /** Bytes that came twice or for nothing, by what all of them wanted. */
  duplicate: number;
}

/** Links at home and at work, in bytes a second, and milliseconds from them to the middle of the network. */
const LINKS = [
  { up: 2_500_000, down: 6_250_000, latency: 15 },
  { up: 5_000_000, down: 12_500_000, latency: 8 },
  { up: 12_500_000, down: 12_500_000, latency: 4 },
];
/** Bytes under way on a stream between two of them. */
const WINDOW = 64 * 1024;

export async function crowd({ size, blocks, originRate, neighbours, within = 0, peers = true, seed = 1 }: CrowdOptions): Promise<CrowdOutcome> {
  const clock = new VirtualClock(0, () => setImmediate());
  const origin = new Origin(clock, originRate, blocks);
  const numbers = numbersOf(seed);
  const members = Array.from({ length: size }, (_, i) => {
    const link = LINKS[i % LINKS.length] ?? { up: 1, down: 1, latency: 1 };
    const held = new Set<string>();
    const holdings: Holdings = { repositories: [], frames: true, files: false, find: (wanted) => origin.find(wanted, held) };
    const news = new News(clock);
    const server = new ExchangeServer({ holdings, clock, news });
    return { id: `member ${i}`, held, news, server, up: new Link(link.up), down: new Link(link.down), latency: link.latency };
  });
  const knows = acquaintances(size, peers ? neighbours : 0, numbers);
  const total = blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const times: number[] = [];
  let duplicate = 0;
  const runs = members.map(async ({ id, held, news, down, up, latency }, i) => {
    await clock.sleep((within * i) / size);
    const startedAt = clock.now();
    const others = [...(knows[i] ?? [])].flatMap((other) => members[other] ?? []);
    const sources = others.map((other) => {
      const peer = new MemoryPeer({
        id: other.id, scope: 'swarm', clock, latency: latency + other.latency, from: id, window: WINDOW,
        forth: [up], back: [other.up], handler: (stream, from) => other.server.handle(behind(stream, other.down, clock), from),
      });
      return new PeerSource({ peer: { ...peer, id: peer.id, scope: peer.scope, transport: peer.transport, open: async (options) => behind(await peer.open(options), down, clock) }, clock });
    });
    const { duplicate: twice } = await fetchBlocks(blocks.map(({ cid, bytes }) => ({ cid, maxBytes: bytes.length })), {
      sources: [origin.seenBy(latency, down), ...sources],
      clock,
      random: new SeededRandom(seed * size + i),
      self: id,
      news,
      accept: async ({ cid }, bytes) => {
        await verifyBlock(cid, bytes, nodeHasher);
        held.add(cid.toString());
      },
    });
    duplicate += twice;
    times.push(clock.now() - startedAt);
  });
  await clock.run(Promise.all(runs));
  return { copies: origin.sent / total, times: times.toSorted((a, b) => a - b), duplicate: duplicate / (total * size) };
}

/** Bytes that the requests at a web server take turns with: two packets, as fair queueing leaves them before a reset is heard. */
const QUANTUM = 3000;

interface Request {
  left: number;
  over: boolean;
  onSent: (bytes: number) => void;
}

/** A web server behind one line, which all requests share equally. */
class Origin {
  sent = 0;
  readonly #clock: Clock;
  readonly #rate: number;
  readonly #blocks: ReadonlyMap<string, Uint8Array>;
  #requests: Request[] = [];
  #sending = false;

  constructor(clock: Clock, rate: number, blocks: readonly Block[]) {
    this.#clock = clock;
    this.#rate = rate;
    this.#blocks = new Map(blocks.map(({ cid, bytes }) => [cid.toString(), bytes]));
  }

  /** The web server, as one who is so many milliseconds away sees it through a line of its own. */
  seenBy(latency: number, line: Link): Source {
    return { name: 'origin', kind: 'webseed', concurrency: 12, get: (request, options = {}) => this.#get(request, options, latency, line) };
  }

  /** What somebody serves who has so much of it: one copy for all of them, in the memory of this machine. */
  find(wanted: Wanted, held: ReadonlySet<string>): Content | undefined {
    const key = wanted.kind === 'block' ? wanted.cid.toString() : '';
    const bytes = held.has(key) ? this.#blocks.get(key) : undefined;
    return bytes && { size: bytes.length, compressible: false, read: (offset, length) => bytes.subarray(offset, offset + length) };
  }

  async #get({ cid }: BlockRequest, { signal, onBytes }: GetOptions, latency: number, line: Link): Promise<Uint8Array> {
    const bytes = this.#blocks.get(cid.toString());
    if (bytes === undefined) throw new MossError('no-source', `the origin does not have ${cid.toString()}`);
    await this.#clock.sleep(latency, { signal });
    let arrived = 0;
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const request: Request = {
      left: bytes.length,
      over: false,
      onSent: (count) => {
        void this.#arrive(count, latency, line, () => {
          if (signal?.aborted === true) return;
          onBytes?.(count);
          arrived += count;
          if (arrived === bytes.length) resolve(bytes);
        });
      },
    };
    const stop = (): void => {
      reject(signal?.reason);
      // The server hears of it later.
      void this.#hear(request, latency);
    };
    signal?.addEventListener('abort', stop);
    this.#requests.push(request);
    if (!this.#sending) void this.#send();
    try {
      return await promise;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  async #arrive(count: number, latency: number, line: Link, came: () => void): Promise<void> {
    await this.#clock.sleep(latency);
    await this.#clock.sleep(line.carry(count, this.#clock.now()) - this.#clock.now());
    came();
  }

  async #hear(request: Request, latency: number): Promise<void> {
    await this.#clock.sleep(latency);
    request.over = true;
  }

  /** By turns. */
  async #send(): Promise<void> {
    this.#sending = true;
    for (;;) {
      const request = this.#requests.shift();
      if (request === undefined) break;
      if (request.over) continue;
      const count = Math.min(QUANTUM, request.left);
      await this.#clock.sleep((count / this.#rate) * 1000);
      this.sent += count;
      request.left -= count;
      request.onSent(count);
      if (request.left > 0) this.#requests.push(request);
    }
    this.#sending = false;
  }
}

/** A stream whose bytes come through a line as they arrive: what else comes through it at that time is in their way. */
function behind(stream: Stream, line: Link, clock: Clock): Stream {
  return {
    ...stream,
    read: async (options) => {
      const bytes = await stream.read(options);
      if (bytes !== undefined) await clock.sleep(line.carry(bytes.length, clock.now()) - clock.now());
      return bytes;
    },
  };
}

/** Whom each knows: at random, and as many of them as can be. */
function acquaintances(size: number, count: number, next: () => number): Set<number>[] {
  const knows = Array.from({ length: size }, () => new Set<number>());
  const most = Math.min(count, size - 1);
  for (const [i, mine] of knows.entries()) {
    for (let tries = 0; mine.size < most && tries < 50 * most; tries++) {
      const other = next() % size;
      const its = knows[other];
      // One more than it wants: the last ones would find nobody.
      if (other === i || its === undefined || its.size > most) continue;
      mine.add(other);
      its.add(i);
    }
  }
  return knows;
}

function numbersOf(seed: number): () => number {
  const random = new SeededRandom(seed);
  return () => new DataView(random.bytes(4).buffer).getUint32(0);
}

/** The time within which such a share of them was done. */
export function percentile(times: readonly number[], share: number): number {
  return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
}
