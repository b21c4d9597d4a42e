import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { parseCid } from '../../../core/dag/cid.ts';
import { fileIdFromDigest, type FileId } from '../../../core/dag/file-id.ts';
import { MossError } from '../../../core/error.ts';
import { DELTA_LIMITS, DeltaMaker } from '../../../core/exchange/delta-maker.ts';
import { fetchDeltas, type Taken } from '../../../core/exchange/fetch-deltas.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { ExchangeServer, type ServerOptions } from '../../../core/exchange/server.ts';
import type { UploadLimits } from '../../../core/exchange/upload.ts';
import type { ArrivedUnit, FileUnit } from '../../../core/exchange/want.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemoryHoldings } from '../../../core/memory/holdings.ts';
import { Link, MemoryPeer } from '../../../core/memory/stream.ts';
import type { Compressor } from '../../../core/ports/compressor.ts';
import type { StreamHandler } from '../../../core/ports/transport.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { nodeCompressor } from '../../../node/zstd.ts';
import { noise } from '../../e2e/fixture.ts';

interface Version {
  id: FileId;
  bytes: Uint8Array;
}

function version(bytes: Uint8Array): Version {
  return { id: fileIdFromDigest(nodeHasher.sha256(bytes), bytes.length), bytes };
}

/** Files that differ a little from what was before them. */
const PAIRS = Array.from({ length: 30 }, (_, i) => {
  const old = noise(1000 + 7000 * i, i + 1);
  return { old: version(old), next: version(Buffer.concat([old.subarray(0, 500), Buffer.from('new'), old.subarray(500)])) };
});
const UNITS = PAIRS.map(({ old, next }): FileUnit => ({ id: next.id, size: next.bytes.length, leaf: undefined, bytes: next.bytes.length, base: { id: old.id, size: old.bytes.length } }));
const OLD = new Map(PAIRS.map(({ old }) => [old.id, old.bytes]));
const WHOLE = PAIRS.reduce((all, { next }) => all + next.bytes.length, 0);

interface PeerOptions {
  /** What it serves, and what deltas may start from there. */
  next?: (i: number) => boolean;
  old?: (i: number) => boolean;
  server?: Partial<ServerOptions>;
  makes?: boolean;
  /** Bytes a second. */
  rate?: number;
  handler?: StreamHandler;
}

interface Outcome {
  taken: Map<FileId, Uint8Array>;
  bytes: number[];
  refused: FileId[];
  banned: string[];
  ms: number;
  asked: number;
}

async function fetch(peers: PeerOptions[], { patience = 5000, altered = new Set<FileId>() }: { patience?: number; altered?: Set<FileId> } = {}): Promise<Outcome> {
  const clock = new VirtualClock();
  let asked = 0;
  const sources = peers.map(({ next = () => true, old = () => true, server = {}, makes = true, rate = 1_000_000, handler }, i) => {
    const holdings = new MemoryHoldings();
    for (const [at, pair] of PAIRS.entries()) {
      if (next(at)) holdings.addFile(parseCid(pair.next.id), pair.next.bytes);
      if (old(at)) holdings.addBase(parseCid(pair.old.id), pair.old.bytes);
    }
    const deltas = makes ? new DeltaMaker({ clock, compressor: nodeCompressor }) : undefined;
    const serving = new ExchangeServer({ holdings, clock, deltas, ...server });
    const peer = new MemoryPeer({ id: `peer ${i}`, clock, latency: 5, back: [new Link(rate)], handler: handler ?? serving.handle });
    return new PeerSource({ peer, clock });
  });
  const out: Outcome = { taken: new Map(), bytes: peers.map(() => 0), refused: [], banned: [], ms: 0, asked: 0 };
  const refused = new Set<FileId>();
  await clock.run(
    fetchDeltas({
      sources, units: UNITS, clock, hasher: nodeHasher, patience,
      take: async (units) => {
        asked += units.length;
        return units.map((unit) => take(unit, out, altered));
      },
      isOfUse: ({ id }) => !refused.has(id),
      onRefused: ({ id }) => refused.add(id),
      onBytes: ({ name }, count) => {
        const at = sources.findIndex((source) => source.name === name);
        out.bytes[at] = (out.bytes[at] ?? 0) + count;
      },
      onBan: ({ name }) => out.banned.push(name),
    }),
  );
  return { ...out, refused: [...refused], ms: clock.now(), asked };
}

/** As a machine takes them in: what was altered on its disk cannot be told from a lie but by looking. */
function take({ id, bytes, content, base }: ArrivedUnit, { taken }: Outcome, altered: ReadonlySet<FileId>): Taken {
  if (base !== undefined && altered.has(base.id)) return 'unusable';
  try {
    const plain = base === undefined ? content : nodeCompressor.decompress(content, { size: bytes, dictionary: OLD.get(base.id) });
    if (fileIdFromDigest(nodeHasher.sha256(plain), plain.length) !== id) return 'wrong';
    taken.set(id, plain);
    return 'right';
  } catch (error) {
    assert.ok(error instanceof MossError && error.code === 'bad-frame');
    return 'wrong';
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}

/** A compressor of a peer that lies. */
function lying(lie: (bytes: Uint8Array, dictionary: Uint8Array | undefined) => Uint8Array): { deltas: DeltaMaker } {
  const compressor: Compressor = { ...nodeCompressor, compress: (bytes, { dictionary }) => lie(bytes, dictionary) };
  return { deltas: new DeltaMaker({ clock: new VirtualClock(), compressor }) };
}

const LIES: Readonly<Record<string, Parameters<typeof lying>[0]>> = {
  'a bomb': () => zstdCompressSync(Buffer.alloc(50_000_000)),
  'a delta against another dictionary': (bytes) => nodeCompressor.compress(bytes.subarray(0, 200), { level: 3, dictionary: noise(5000, 99) }),
  'a delta to other content': (bytes, dictionary) => nodeCompressor.compress(Buffer.alloc(bytes.length), { level: 3, dictionary }),
  'what is no zstd': () => Buffer.from('nothing'),
};

function silent(): Promise<void> {
  return new Promise(() => undefined);
}

describe('files that come as deltas', () => {
  it('come for a small part of their bytes from a peer that has both ends', async () => {
    const { taken, bytes } = await fetch([{}]);
    assert.equal(taken.size, PAIRS.length);
    assert.ok(sum(bytes) < WHOLE / 20, `${sum(bytes)} of ${WHOLE}`);
  });

  it('come from several peers, each of which has some', async () => {
    const { taken, bytes, refused } = await fetch([{ next: (i) => i % 2 === 0 }, { old: (i) => i % 2 === 1 }]);
    assert.equal(taken.size, PAIRS.length);
    assert.deepEqual(refused, []);
    assert.ok(bytes.every((count) => count > 0));
  });

  it('are refused as what is not there is, where an end is not listed: but little files come as they are', async () => {
    for (const lacks of ['next', 'old'] as const) {
      const { taken, refused, banned } = await fetch([{ [lacks]: () => false }]);
      const little = PAIRS.filter(({ next }) => next.bytes.length <= 16 * 1024);
      assert.deepEqual([...taken.keys()].toSorted(), lacks === 'next' ? [] : little.map(({ next }) => next.id).toSorted());
      assert.equal(refused.length, PAIRS.length - taken.size);
      assert.deepEqual(banned, []);
    }
  });

  it('are not asked of a peer that makes none', async () => {
    const { bytes, ms } = await fetch([{ makes: false }]);
    assert.equal(sum(bytes), 0);
    assert.ok(ms < 100, `${ms} ms`);
  });

  it('count against what a peer may upload', async () => {
    let sent = 0;
    const upload: UploadLimits = { allows: () => sent < 200, take: async (_, count) => void (sent += count) };
    const { taken, banned } = await fetch([{ server: { upload } }]);
    assert.ok(taken.size > 0 && taken.size < PAIRS.length, `${taken.size}`);
    assert.ok(sent < 500, `${sent}`);
    assert.deepEqual(banned, []);
  });

  it('come whole from others where the peer has no time for them', async () => {
    const clock = new VirtualClock();
    const deltas = new DeltaMaker({ clock, compressor: nodeCompressor, limits: { ...DELTA_LIMITS, share: 0 } });
    const { taken, refused, banned } = await fetch([{ server: { deltas } }]);
    assert.equal(taken.size + refused.length < PAIRS.length + 1, true);
    assert.deepEqual(banned, []);
  });

  for (const [what, lie] of Object.entries(LIES)) {
    it(`are not taken from a peer that sends ${what}: it is banned, and has cost at most a block`, async () => {
      const { taken, bytes, banned } = await fetch([{ server: lying(lie) }, {}]);
      assert.deepEqual(banned, ['peer 0']);
      assert.ok((bytes[0] ?? 0) <= 1024 * 1024);
      for (const [id, content] of taken) assert.equal(fileIdFromDigest(nodeHasher.sha256(content), content.length), id);
      assert.equal(taken.size, PAIRS.length, 'the other one brings all');
    });
  }

  it('are left out where what they start from was altered here, and nobody is blamed', async () => {
    const altered = new Set(PAIRS.slice(20).map(({ old }) => old.id));
    const { taken, banned } = await fetch([{}], { altered });
    assert.equal(taken.size, 20);
    assert.deepEqual(banned, []);
  });

  it('are not waited for from a peer that is silent', async () => {
    const { taken, ms } = await fetch([{ handler: silent }]);
    assert.equal(taken.size, 0);
    assert.ok(ms < 600, `${ms} ms`);
  });

  it('are not waited for longer than the caller has patience', async () => {
    const { ms, taken } = await fetch([{ rate: 20_000 }], { patience: 100 });
    assert.ok(ms < 200 && taken.size < PAIRS.length, `${ms} ms, ${taken.size}`);
  });
});
