/** The index from revision to revision: what a publisher writes, and what a reader who is behind makes of it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import * as fc from 'fast-check';
import { cborBlock } from '../../../core/dag/block.ts';
import { cidOf, RAW, type Cid } from '../../../core/dag/cid.ts';
import { encodeCbor } from '../../../core/dag/codec.ts';
import { decodeRoot, rootValue, type IndexRef, type Root } from '../../../core/dag/root.ts';
import { MossError } from '../../../core/error.ts';
import { fetchIndex, type FetchedIndex } from '../../../core/exchange/index-fetch.ts';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { MemorySource } from '../../../core/memory/source.ts';
import { encodeIndex, type IndexEntry } from '../../../core/repo/index-file.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { writeIndex } from '../../../node/publish/index-file.ts';
import { Repository } from '../../../node/publish/site.ts';
import { nodeCompressor } from '../../../node/zstd.ts';

const here = mkdtempSync(join(tmpdir(), 'moss-index-'));
after(() => rmSync(here, { recursive: true }));
let count = 0;

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** A package whose line does not compress: as in a real index, where digests do not. */
function entry(name: string, version: number): IndexEntry {
  return {
    name, version: String(version), release: 0, architecture: 'amd64', format: 'deb', summary: digest(name).toString('hex'), homepage: '', depends: [], recommends: [],
    provides: [], conflicts: [], breaks: [], replaces: [], essential: false, multiArch: '', manifest: cidOf(RAW, digest(`${name} ${version}`)).toString(), size: version, download: 0, files: 0, announce: true,
  };
}

/** A repository of indexes alone. */
class Publisher {
  readonly repository: Repository;
  readonly roots: { cid: Cid; root: Root; bytes: Uint8Array }[] = [];

  constructor() {
    const directory = join(here, String(count++));
    mkdirSync(join(directory, 'keys'), { recursive: true });
    mkdirSync(join(directory, 'site/metadata'), { recursive: true });
    this.repository = Repository.open(directory);
  }

  async publish(entries: Iterable<IndexEntry>): Promise<void> {
    const bytes = encodeIndex(entries);
    const last = this.roots.at(-1);
    const index = await writeIndex(this.repository, bytes, last);
    await this.put({ name: 'test', revision: this.roots.length + 1, index, manifests: [], previous: last?.cid }, bytes);
  }

  async put(root: Root, bytes: Uint8Array): Promise<void> {
    const block = await cborBlock(rootValue(root), nodeHasher);
    await this.repository.blocks.put(block.cid, block.bytes);
    this.roots.push({ cid: block.cid, root: decodeRoot(block.bytes), bytes });
  }

  revision(number: number): { cid: Cid; root: Root; bytes: Uint8Array } {
    const found = this.roots[number - 1];
    assert.ok(found);
    return found;
  }
}

interface Fetched extends FetchedIndex {
  received: number;
  broken: string[];
}

/** Brings a reader from one revision to another. */
async function bring({ repository }: Publisher, to: Root, held?: { bytes: Uint8Array; revision: number }): Promise<Fetched> {
  const clock = new VirtualClock();
  const source = new MemorySource({ name: 'site', blocks: repository.blocks, clock, latency: 1 });
  let received = 0;
  const broken: string[] = [];
  const fetched = await clock.run(
    fetchIndex(to, {
      sources: [source], clock, hasher: nodeHasher, compressor: nodeCompressor, held,
      onBytes: (_, bytes) => (received += bytes),
      onBrokenDelta: ({ message }) => broken.push(message),
    }),
  );
  return { ...fetched, received, broken };
}

function wholeOf({ frames }: Pick<IndexRef, 'frames'>): number {
  return frames.reduce((sum, { size }) => sum + size, 0);
}

const NAMES = Array.from({ length: 300 }, (_, i) => `p${digest(String(i)).toString('hex').slice(0, 12)}`);

/** A repository with a history: each day some packages are newer. */
async function history(days: readonly (readonly number[])[]): Promise<Publisher> {
  const publisher = new Publisher();
  const versions = new Map(NAMES.map((name) => [name, 1]));
  for (const changed of [[], ...days]) {
    for (const at of changed) versions.set(NAMES[at] ?? '', (versions.get(NAMES[at] ?? '') ?? 0) + 1);
    await publisher.publish([...versions].map(([name, version]) => entry(name, version)));
  }
  return publisher;
}

const someDays = fc.array(fc.uniqueArray(fc.nat(NAMES.length - 1), { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 12 });

describe('the index of a later revision', () => {
  it('comes from that of any earlier one, byte for byte, and for less than the whole', async () => {
    await fc.assert(
      fc.asyncProperty(someDays, fc.nat(), fc.nat(), async (days, a, b) => {
        const publisher = await history(days);
        const [from, to] = [1 + (a % days.length), 1 + (b % (days.length + 1))].toSorted((x, y) => x - y);
        const target = publisher.revision(to ?? 1);
        const held = publisher.revision(from ?? 1);
        const fetched = await bring(publisher, target.root, { bytes: held.bytes, revision: from ?? 1 });
        assert.deepEqual(fetched.bytes, Uint8Array.from(target.bytes));
        assert.deepEqual(fetched.broken, []);
        if (from !== to) assert.equal(fetched.from, from);
      }),
      { numRuns: Number(process.env['MOSS_TEST_FUZZ'] ?? 8) },
    );
  });

  it('costs little after one step, and after twenty', async () => {
    const publisher = await history(Array.from({ length: 20 }, (_, day) => [day * 3, day * 3 + 1]));
    const { root } = publisher.revision(21);
    const whole = wholeOf(root.index);
    const step = await bring(publisher, root, { bytes: publisher.revision(20).bytes, revision: 20 });
    assert.ok(step.received < whole / 15, `${step.received} of ${whole}`);
    const leap = await bring(publisher, root, { bytes: publisher.revision(1).bytes, revision: 1 });
    assert.ok(leap.received < whole / 3, `${leap.received} of ${whole}`);
  });

  it('has a bounded number of deltas, that together are smaller than the whole', async () => {
    const publisher = await history(Array.from({ length: 20 }, (_, day) => [day]));
    for (const { root } of publisher.roots) {
      const { deltas } = root.index;
      assert.ok(deltas.length <= 9);
      assert.ok(deltas.every(({ frames }) => wholeOf({ frames }) <= wholeOf(root.index) / 2));
      assert.ok(deltas.reduce((sum, { frames }) => sum + wholeOf({ frames }), 0) <= wholeOf(root.index));
    }
  });

  it('is fetched whole by who has nothing, something else, or something that was damaged', async () => {
    const publisher = await history([[1], [2]]);
    const { root, bytes } = publisher.revision(3);
    const damaged = Uint8Array.from(publisher.revision(1).bytes);
    damaged[1000] = (damaged[1000] ?? 0) ^ 1;
    for (const held of [undefined, { bytes: new Uint8Array(), revision: 1 }, { bytes: damaged, revision: 1 }, { bytes: publisher.revision(2).bytes, revision: 9 }]) {
      const fetched = await bring(publisher, root, held);
      assert.deepEqual(fetched.bytes, Uint8Array.from(bytes));
      assert.equal(fetched.from, held?.revision === 9 ? 9 : undefined);
    }
  });

  it('is fetched whole when everything changed', async () => {
    const publisher = await history([NAMES.map((_, i) => i)]);
    assert.deepEqual(publisher.revision(2).root.index.deltas.filter(({ frames }) => wholeOf({ frames }) > wholeOf(publisher.revision(2).root.index) / 2), []);
    const fetched = await bring(publisher, publisher.revision(2).root, { bytes: publisher.revision(1).bytes, revision: 1 });
    assert.deepEqual(fetched.bytes, Uint8Array.from(publisher.revision(2).bytes));
  });

  it('empty, or after an empty one, is an index as well', async () => {
    const publisher = new Publisher();
    await publisher.publish([]);
    await publisher.publish([entry('a', 1)]);
    await publisher.publish([]);
    for (const [from, to] of [[1, 2], [2, 3], [1, 3]] as const) {
      const held = { bytes: publisher.revision(from).bytes, revision: from };
      assert.deepEqual((await bring(publisher, publisher.revision(to).root, held)).bytes, Uint8Array.from(publisher.revision(to).bytes));
    }
  });
});

describe('a delta of the index', () => {
  const lies: Record<string, (root: Root, publisher: Publisher) => Promise<void> | void> = {
    'whose block is gone': async (root, { repository }) => {
      for (const { cid } of root.index.deltas[0]?.frames ?? []) await repository.blocks.delete(cid);
    },
    'that is compressed against another one': ({ index: { deltas } }) => {
      for (const delta of deltas) delta.frames = deltas[1]?.frames ?? [];
    },
    'that speaks of more than there was': (root) => {
      for (const { frames } of root.index.deltas) for (const frame of frames) frame.offset += 1_000_000;
    },
    'that shifts what it is compressed against': (root) => {
      for (const { frames } of root.index.deltas) for (const frame of frames) frame.length -= 1;
    },
  };
  for (const [what, lie] of Object.entries(lies)) {
    it(`${what} costs the whole index, and never gives a wrong one`, async () => {
      const publisher = await history([[1], [2]]);
      const { root, bytes } = publisher.revision(3);
      await lie(root, publisher);
      const fetched = await bring(publisher, root, { bytes: publisher.revision(2).bytes, revision: 2 });
      assert.deepEqual(fetched.bytes, Uint8Array.from(bytes));
      assert.equal(fetched.from, undefined);
      assert.equal(fetched.broken.length, 1);
    });
  }

  it('from a revision that the earlier root denies is not used', async () => {
    const publisher = await history([[1], [2], [3], [4], [5], [6]]);
    const { root, bytes } = publisher.revision(7);
    const other = publisher.revision(3);
    for (const delta of root.index.deltas) delta.root = other.cid;
    const fetched = await bring(publisher, root, { bytes: publisher.revision(1).bytes, revision: 1 });
    assert.deepEqual([fetched.from, fetched.broken.length], [undefined, 1]);
    assert.deepEqual(fetched.bytes, Uint8Array.from(bytes));
  });

  it('is refused with the root when it does not lead back, or has another size', async () => {
    const publisher = await history([[1]]);
    const { root } = publisher.revision(2);
    const refuses = (change: (root: Root) => void): void => {
      const copy = decodeRoot(encodeCbor(rootValue(root)));
      change(copy);
      assert.throws(() => decodeRoot(encodeCbor(rootValue(copy))), (error) => error instanceof MossError && error.code === 'bad-index');
    };
    refuses(({ index }) => index.deltas.forEach((delta) => (delta.revision = 2)));
    refuses(({ index }) => index.deltas.forEach((delta) => (delta.frames = [])));
    refuses(({ index }) => (index.size += 1));
    refuses(({ index }) => index.deltas.forEach((delta) => (delta.sha256 = new Uint8Array(31))));
  });
});
