/** The pack on files that lose what was not flushed, as a power cut does: nothing wrong is ever read as if it were right. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { array, assert as check, boolean, constant, infiniteStream, nat, oneof, property, record } from 'fast-check';
import { MossError } from '../../../core/error.ts';
import { Pack, type SyncFile } from '../../../web/store/pack.ts';
import { KEY_SIZE, SLOT_SIZE } from '../../../web/store/slot.ts';

/** A file in memory, that knows what a power cut would leave: any part of what was written since the last flush. */
class CrashFile implements SyncFile {
  #now = new Uint8Array(0);
  #flushed = new Uint8Array(0);
  /** Bytes: as a quota. */
  limit = Infinity;

  getSize(): number {
    return this.#now.length;
  }
  read(into: Uint8Array, { at }: { at: number }): number {
    const part = this.#now.subarray(at, at + into.length);
    into.set(part);
    return part.length;
  }
  write(bytes: Uint8Array, { at }: { at: number }): number {
    if (at + bytes.length > this.limit) throw Object.assign(new Error('full'), { name: 'QuotaExceededError' });
    if (at + bytes.length > this.#now.length) this.truncate(at + bytes.length);
    this.#now.set(bytes, at);
    return bytes.length;
  }
  truncate(size: number): void {
    const next = new Uint8Array(size);
    next.set(this.#now.subarray(0, size));
    this.#now = next;
  }
  flush(): void {
    this.#flushed = this.#now.slice();
  }
  close(): void {
    // Nothing to let go.
  }
  /** As after a power cut: of each 16 bytes, `kept` decides whether the last flush's or the newest are there. */
  crashed(kept: (at: number) => boolean): CrashFile {
    const after = new CrashFile();
    const size = kept(-1) ? this.#now.length : this.#flushed.length;
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 16) bytes.set((kept(at) ? this.#now : this.#flushed).subarray(at, Math.min(at + 16, size)), at);
    after.#now = bytes;
    after.#flushed = bytes.slice();
    return after;
  }
}

function block(number: number, size: number): { key: Uint8Array; bytes: Uint8Array<ArrayBuffer> } {
  const bytes = new Uint8Array(size).fill(number);
  if (size >= 4) new DataView(bytes.buffer).setUint32(0, number);
  const key = new Uint8Array(KEY_SIZE);
  key[0] = 0x55;
  key.set(digest(bytes), 1);
  return { key, bytes };
}

function digest(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

const isRight = (key: Uint8Array, bytes: Uint8Array): boolean => Buffer.from(key.subarray(1)).equals(digest(bytes));

type Step = { do: 'write' | 'remove'; number: number } | { do: 'sync' } | { do: 'reopen' };

const steps = array(
  oneof(
    { weight: 6, arbitrary: record({ do: constant<'write'>('write'), number: nat(40) }) },
    { weight: 4, arbitrary: record({ do: constant<'remove'>('remove'), number: nat(40) }) },
    { weight: 1, arbitrary: constant<Step>({ do: 'sync' }) },
    { weight: 1, arbitrary: constant<Step>({ do: 'reopen' }) },
  ),
  { maxLength: 120 },
);
/** Some are so large that holes are closed (above 4 MiB). */
const sizeOf = (number: number): number => (number % 10 === 9 ? 1_500_000 : number === 0 ? 0 : number * 997);

interface World {
  files: [CrashFile, CrashFile];
  pack: Pack;
  held: Set<number>;
  /** As of the last sync, without what was removed after it. */
  durable: Set<number>;
}

function walk(list: readonly Step[]): World {
  const files: [CrashFile, CrashFile] = [new CrashFile(), new CrashFile()];
  const world: World = { files, pack: new Pack(...files), held: new Set(), durable: new Set() };
  for (const step of list) {
    if (step.do === 'reopen') world.pack = new Pack(...files);
    else if (step.do === 'sync') {
      world.pack.sync();
      world.durable = new Set(world.held);
    } else {
      const { key, bytes } = block(step.number, sizeOf(step.number));
      if (step.do === 'write') world.pack.write(key, bytes);
      else world.pack.remove(key);
      if (step.do === 'write') world.held.add(step.number);
      else {
        world.held.delete(step.number);
        world.durable.delete(step.number);
      }
    }
  }
  return world;
}

function readsRight(pack: Pack, number: number): boolean {
  const { key } = block(number, sizeOf(number));
  const bytes = pack.read(key);
  return bytes !== undefined && isRight(key, bytes);
}

describe('a pack of blocks', () => {
  it('has what was written and not removed, whatever the order, opened anew or not', () => {
    check(
      property(steps, (list) => {
        const { pack, held, files } = walk(list);
        for (const each of [pack, new Pack(...files)]) {
          assert.equal(each.count, held.size);
          for (const number of held) assert.ok(readsRight(each, number), `block ${number}`);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('has after a power cut all that was synced, and nothing that only looks like a block', () => {
    check(
      property(steps, infiniteStream(boolean()), (list, coins) => {
        const { files, durable } = walk(list);
        const toss = (): boolean => coins.next().value ?? false;
        const pack = new Pack(files[0].crashed(toss), files[1].crashed(toss));
        for (const number of durable) assert.ok(readsRight(pack, number), `block ${number} was synced`);
        // What is there beside may be damaged; it can be told by its hash, removed, and written again.
        for (let number = 0; number <= 40; number++) {
          const { key, bytes } = block(number, sizeOf(number));
          if (!readsRight(pack, number)) pack.remove(key);
          pack.write(key, bytes);
        }
        for (let number = 0; number <= 40; number++) assert.ok(readsRight(pack, number), `block ${number} was written again`);
      }),
      { numRuns: 60 },
    );
  });

  it('forgets both of two blocks that lie over one another', () => {
    const files: [CrashFile, CrashFile] = [new CrashFile(), new CrashFile()];
    const pack = new Pack(...files);
    for (const number of [1, 2, 3]) pack.write(block(number, 100).key, block(number, 100).bytes);
    // The slot of another block, which is said to begin where number 1 does, and reaches into number 2.
    const other: [CrashFile, CrashFile] = [new CrashFile(), new CrashFile()];
    new Pack(...other).write(block(9, 150).key, block(9, 150).bytes);
    const slot = new Uint8Array(SLOT_SIZE);
    other[1].read(slot, { at: 0 });
    files[1].write(slot, { at: 3 * SLOT_SIZE });
    const reopened = new Pack(...files);
    assert.deepEqual([1, 2, 3, 9].map((number) => reopened.has(block(number, number === 9 ? 150 : 100).key)), [false, false, true, false]);
  });

  it('has nothing of a block that the disk had no room for, and goes on', () => {
    const files: [CrashFile, CrashFile] = [new CrashFile(), new CrashFile()];
    const pack = new Pack(...files);
    files[0].limit = 1000;
    pack.write(block(1, 600).key, block(1, 600).bytes);
    assert.throws(() => pack.write(block(2, 600).key, block(2, 600).bytes), (error) => error instanceof MossError && error.code === 'disk-full');
    assert.equal(pack.has(block(2, 600).key), false);
    files[1].limit = SLOT_SIZE;
    assert.throws(() => pack.write(block(3, 300).key, block(3, 300).bytes), (error) => error instanceof MossError && error.code === 'disk-full');
    files[1].limit = Infinity;
    pack.write(block(3, 300).key, block(3, 300).bytes);
    const reopened = new Pack(...files);
    assert.equal(reopened.count, 2);
    assert.ok([block(1, 600), block(3, 300)].every(({ key }) => isRight(key, reopened.read(key) ?? new Uint8Array(0))));
  });

  it('gives the disk back what was removed', () => {
    const files: [CrashFile, CrashFile] = [new CrashFile(), new CrashFile()];
    const pack = new Pack(...files);
    const size = 500_000;
    for (let number = 0; number < 40; number++) pack.write(block(number, size).key, block(number, size).bytes);
    for (let number = 0; number < 40; number += 2) pack.remove(block(number, size).key);
    pack.sync();
    assert.ok(files[0].getSize() <= 20 * size + 4 * 1024 * 1024, `${files[0].getSize()} bytes`);
    for (let number = 1; number < 40; number += 2) assert.ok(isRight(block(number, size).key, pack.read(block(number, size).key) ?? new Uint8Array(0)));
  });
});
