import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rawBlock, sameBytes, verifyBlock, type Block } from '../../../core/dag/block.ts';
import { cidOf, parseCid, RAW } from '../../../core/dag/cid.ts';
import { asFileId, fileIdFromLeaves, LEAF_SIZE, type FileId } from '../../../core/dag/file-id.ts';
import { MossError } from '../../../core/error.ts';
import { PeerSource } from '../../../core/exchange/peer-source.ts';
import { ExchangeServer } from '../../../core/exchange/server.ts';
import { fetchBlocks } from '../../../core/exchange/session.ts';
import { keyOf, unitsOf, type ArrivedUnit, type Want, type WantedFile } from '../../../core/exchange/want.ts';
import { MemoryBlockstore } from '../../../core/memory/blockstore.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemoryHoldings } from '../../../core/memory/holdings.ts';
import { SeededRandom } from '../../../core/memory/random.ts';
import { MemorySource } from '../../../core/memory/source.ts';
import { Link, MemoryPeer } from '../../../core/memory/stream.ts';
import type { Source } from '../../../core/ports/source.ts';
import { nodeHasher } from '../../../node/hasher.ts';

const random = new SeededRandom(11);

interface File {
  id: FileId;
  bytes: Uint8Array;
  links: Uint8Array[];
}

async function makeFile(size: number): Promise<File> {
  const bytes = random.bytes(size);
  const links = Array.from({ length: Math.max(1, Math.ceil(size / LEAF_SIZE)) }, (_, i) => nodeHasher.sha256(bytes.subarray(i * LEAF_SIZE, (i + 1) * LEAF_SIZE)));
  return { id: await fileIdFromLeaves(links, size, nodeHasher), bytes, links };
}

/** Ten frames of forty small files each, and a file of five and a half leaves in three frames. */
const SMALL = await Promise.all(Array.from({ length: 400 }, (_, i) => makeFile(i === 7 ? 0 : 100 + ((i * 7919) % 9000))));
const LARGE = await makeFile(5.5 * LEAF_SIZE);
const FILES = new Map([...SMALL, LARGE].map((file) => [file.id, file]));

interface Frame extends Block {
  files: WantedFile[];
}

async function makeFrame(files: WantedFile[]): Promise<Frame> {
  const plain = unitsOf(files).reduce((sum, { bytes }) => sum + bytes, 0);
  return { ...(await rawBlock(random.bytes(Math.min(LEAF_SIZE, Math.ceil(plain / 3))), nodeHasher)), files };
}

const FRAMES: Frame[] = [];
for (let i = 0; i < 10; i++) FRAMES.push(await makeFrame(SMALL.slice(40 * i, 40 * i + 40).map(({ id, bytes }) => ({ id, size: bytes.length }))));
for (const first of [0, 2, 4]) FRAMES.push(await makeFrame([{ id: LARGE.id, size: LARGE.bytes.length, leaves: { first, count: 2 } }]));
const CONTENT = [...FILES.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);

interface FilePeer {
  has?: (file: File) => boolean;
  /** What it serves of a file. */
  content?: (file: File) => { bytes: Uint8Array; links: Uint8Array[] };
  frames?: boolean;
  /** Which frames it lacks. */
  lacks?: (index: number) => boolean;
  rate?: number;
  vanishesAt?: number;
  /** When its connection breaks, which may be made again. */
  breaksAt?: number;
}

interface Outcome {
  error: unknown;
  /** Keys of units, and CIDs of frames, that were taken in, each as often as it was. */
  units: string[];
  frames: string[];
  bytes: number[];
  wrong: number;
  banned: string[];
  ms: number;
  streams: number[];
}

async function fetchFrom(peers: FilePeer[], { webseed = false, already = [] }: { webseed?: boolean; already?: string[] } = {}): Promise<Outcome> {
  const clock = new VirtualClock();
  const made = peers.map(({ has = () => true, content = (file) => file, frames = false, lacks = () => false, rate = 100_000_000, vanishesAt, breaksAt }, i) => {
    const holdings = new MemoryHoldings();
    for (const file of FILES.values()) if (has(file)) holdings.addFile(parseCid(file.id), content(file).bytes, content(file).links);
    if (frames) for (const [at, { cid, bytes }] of FRAMES.entries()) if (!lacks(at)) holdings.addBlock(cid, bytes);
    const peer = new MemoryPeer({ id: `peer ${i}`, clock, latency: 1, back: [new Link(rate)], handler: new ExchangeServer({ holdings, clock }).handle });
    if (vanishesAt !== undefined) void clock.sleep(vanishesAt).then(() => peer.vanish());
    if (breaksAt !== undefined) void clock.sleep(breaksAt).then(() => peer.disconnect());
    return peer;
  });
  const sources: Source[] = made.map((peer) => new PeerSource({ peer, clock }));
  const blocks = new MemoryBlockstore();
  for (const { cid, bytes } of FRAMES) await blocks.put(cid, bytes);
  if (webseed) sources.unshift(new MemorySource({ name: 'webseed', blocks, clock, latency: 20, line: new Link(1_000_000) }));
  const out: Outcome = { error: undefined, units: [...already], frames: [], bytes: peers.map(() => 0), wrong: 0, banned: [], ms: 0, streams: [] };
  const wants = FRAMES.flatMap(({ cid, bytes, files }): Want[] => {
    const left = files.filter((file) => unitsOf([file]).some((unit) => !already.includes(keyOf(unit))));
    return left.length === 0 ? [] : [{ cid, maxBytes: bytes.length, files: left }];
  });
  try {
    const work = fetchBlocks(wants, {
      sources, clock, hasher: nodeHasher,
      accept: async ({ cid }, bytes) => {
        await verifyBlock(cid, bytes, nodeHasher);
        out.frames.push(cid.toString());
      },
      acceptFiles: async (_, units) => units.map((unit) => takeUnit(unit, out)),
      onBytes: ({ name }, count) => {
        const at = made.findIndex(({ id }) => id === name);
        if (at !== -1) out.bytes[at] = (out.bytes[at] ?? 0) + count;
      },
      onBan: ({ name }) => out.banned.push(name),
    });
    const { wrong } = await clock.run(work);
    out.wrong = wrong;
  } catch (error) {
    out.error = error;
  }
  out.ms = clock.now();
  out.streams = made.map(({ opened }) => opened);
  return out;
}

function takeUnit(unit: ArrivedUnit, out: Outcome): boolean {
  const { id, leaf, digest, content } = unit;
  const sha256 = nodeHasher.sha256(content);
  const isRight = leaf === undefined ? asFileId(cidOf(RAW, sha256)) === id : digest !== undefined && sameBytes(sha256, digest);
  if (isRight) out.units.push(keyOf(unit));
  return isRight;
}

/** Everything is here: every unit, by itself or in a frame. */
function complete({ error, units, frames }: Outcome): void {
  assert.equal(error, undefined);
  assert.equal(new Set(units).size, units.length, 'nothing is taken in twice');
  const here = new Set(units);
  for (const { cid, files } of FRAMES) {
    if (!frames.includes(cid.toString())) for (const unit of unitsOf(files)) assert.ok(here.has(keyOf(unit)), keyOf(unit));
  }
}

function isEven({ id }: File): boolean {
  return SMALL.findIndex((file) => file.id === id) % 2 === 0;
}

describe('what a frame brings', () => {
  it('comes file by file from a peer that has installed the package, on one stream', async () => {
    const outcome = await fetchFrom([{}]);
    complete(outcome);
    assert.equal(outcome.frames.length, 0);
    assert.equal(outcome.units.length, SMALL.length + 6);
    assert.deepEqual(outcome.streams, [1]);
    assert.ok((outcome.bytes[0] ?? 0) <= CONTENT + 6 * 32, 'its bytes and the links of the large file');
  });

  it('comes from a peer that has some frames, and files of the others', async () => {
    const outcome = await fetchFrom([{ frames: true, lacks: (i) => i % 2 === 0 }, { frames: true, lacks: (i) => i % 2 === 0 }]);
    complete(outcome);
    assert.equal(outcome.frames.length, FRAMES.filter((_, i) => i % 2 === 1).length);
  });

  it('comes as frames from a peer that has these too', async () => {
    const outcome = await fetchFrom([{ frames: true }]);
    complete(outcome);
    assert.equal(outcome.frames.length, FRAMES.length);
  });

  it('comes from several peers at once, the leaves of a large file too, in half the time', async () => {
    const one = await fetchFrom([{ rate: 5_000_000 }]);
    const two = await fetchFrom([{ rate: 5_000_000 }, { rate: 5_000_000 }]);
    complete(two);
    assert.ok(one.ms / two.ms >= 1.6, `${one.ms / two.ms}`);
    assert.ok(two.bytes.every((bytes) => bytes > 2 * LEAF_SIZE));
  });

  it('comes from a peer to whom the connection broke with much under way: that is one failure', async () => {
    const outcome = await fetchFrom([{ rate: 1_000_000, breaksAt: 500 }]);
    complete(outcome);
    assert.deepEqual(outcome.streams, [2]);
  });

  it('comes from those who have a part of it each', async () => {
    complete(await fetchFrom([{ has: isEven }, { has: (file) => !isEven(file) }]));
  });

  it('comes with the whole frame where no peer has all of its files', async () => {
    const missing = SMALL[45]?.id;
    const outcome = await fetchFrom([{ has: ({ id }) => id !== missing }], { webseed: true });
    complete(outcome);
    assert.ok(outcome.frames.includes(FRAMES[1]?.cid.toString() ?? ''));
    assert.ok(outcome.frames.length < FRAMES.length);
  });

  it('fails with exit 69 where a file is nowhere, and the rest is taken in', async () => {
    const outcome = await fetchFrom([{ has: ({ id }) => id !== SMALL[45]?.id }]);
    assert.ok(outcome.error instanceof MossError && outcome.error.exitCode === 69);
  });

  it('is not taken from a peer that sends one wrong file: what was right stays, and it is banned', async () => {
    const bad = SMALL[3]?.id;
    const outcome = await fetchFrom([{ content: (file) => (file.id === bad ? { ...file, bytes: new Uint8Array(file.bytes.length) } : file) }, {}]);
    complete(outcome);
    assert.deepEqual(outcome.banned, ['peer 0']);
    assert.ok(outcome.wrong <= LEAF_SIZE, `${outcome.wrong}`);
  });

  it('is not taken from a peer whose leaves or links are wrong', async () => {
    const altered = LARGE.bytes.slice();
    altered[4 * LEAF_SIZE] = (altered[4 * LEAF_SIZE] ?? 0) ^ 1;
    const otherLinks = LARGE.links.map((link, i) => (i === 4 ? nodeHasher.sha256(altered.subarray(4 * LEAF_SIZE, 5 * LEAF_SIZE)) : link));
    for (const links of [LARGE.links, otherLinks]) {
      const outcome = await fetchFrom([{ content: (file) => (file.id === LARGE.id ? { bytes: altered, links } : file) }, { rate: 2_000_000 }]);
      complete(outcome);
      assert.deepEqual(outcome.banned, ['peer 0']);
    }
  });

  it('goes on elsewhere when the peer vanishes, with what is missing alone', async () => {
    const outcome = await fetchFrom([{ rate: 5_000_000, vanishesAt: 700 }, { rate: 5_000_000 }]);
    complete(outcome);
    const all = outcome.bytes.reduce((sum, bytes) => sum + bytes, 0);
    assert.ok(all <= CONTENT + 3 * LEAF_SIZE, `${all - CONTENT}`);
  });

  it('is not fetched again by a second run', async () => {
    const first = await fetchFrom([{ rate: 5_000_000, vanishesAt: 700 }]);
    assert.ok(first.error instanceof MossError && first.error.exitCode === 75);
    assert.ok(first.units.length > 50);
    complete(await fetchFrom([{}], { already: first.units }));
  });

  it('comes at more than five thousand small files a second over a line that allows it', async () => {
    const outcome = await fetchFrom([{ rate: 50_000_000 }]);
    const seconds = (outcome.ms - (LARGE.bytes.length / 50_000_000) * 1000) / 1000;
    assert.ok(SMALL.length / seconds > 5000, `${SMALL.length / seconds} on virtual time`);
  });
});
