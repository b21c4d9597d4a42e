import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, asyncProperty, constantFrom, integer, option, record, uint8Array, uniqueArray } from 'fast-check';
import { decodeCbor, encodeCbor } from '../../../core/dag/codec.ts';
import type { Entry } from '../../../core/dag/entry.ts';
import { fileIdFromDigest, LEAF_SIZE } from '../../../core/dag/file-id.ts';
import { frameUnits, groupUnits, mergePieces } from '../../../core/dag/frame.ts';
import { comparePaths, type PackagePath } from '../../../core/dag/path.ts';
import { decodeTable } from '../../../core/dag/read-table.ts';
import { distinctFiles, encodeTable, MAX_TABLE_SIZE, travelSize, type Table } from '../../../core/dag/table.ts';
import { MossError, type ErrorCode } from '../../../core/error.ts';
import { nodeCompressor } from '../../../node/zstd.ts';
import { HOSTILE_TABLES, type Columns } from './hostile-tables.ts';

function path(text: string): PackagePath {
  return text as PackagePath;
}

/** A directory, a file of three leaves and a link. */
function goodTable(): Table {
  const size = 3 * LEAF_SIZE;
  const entries: Entry[] = [
    { type: 'directory', path: path('usr'), mode: 0o755 },
    { type: 'file', path: path('usr/file'), mode: 0o644, id: fileIdFromDigest(new Uint8Array(32).fill(9), size), size },
    { type: 'symlink', path: path('usr/link'), target: 'file' },
  ];
  return { entries, files: distinctFiles(entries), frames: [{ pieces: [{ file: 0, offset: 0, length: size }] }], verbatim: [] };
}

async function columnsOf(table: Table): Promise<Columns> {
  const { bytes, plain } = await encodeTable(table, nodeCompressor);
  const value = decodeCbor(nodeCompressor.decompress(bytes, { size: plain }), 'bug', 'a table');
  assert.ok(typeof value === 'object' && value !== null);
  return { ...value };
}

function decodeColumns(columns: Columns): Promise<Table> {
  const present = Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));
  return decodePlain(encodeCbor(present));
}

function decodePlain(plain: Uint8Array): Promise<Table> {
  return decodeTable(nodeCompressor.compress(plain, { level: 1 }), plain.length, nodeCompressor);
}

function isMossError(...codes: ErrorCode[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof MossError, String(error));
    assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
    return true;
  };
}

describe('a file table', () => {
  it('comes back as it was', async () => {
    const { bytes, plain } = await encodeTable(goodTable(), nodeCompressor);
    assert.deepEqual(stripped(await decodeTable(bytes, plain, nodeCompressor)), stripped(goodTable()));
  });

  it('is the same bytes each time', async () => {
    assert.deepEqual(await encodeTable(goodTable(), nodeCompressor), await encodeTable(goodTable(), nodeCompressor));
  });

  it('of no rows is a table', async () => {
    const empty: Table = { entries: [], files: [], frames: [], verbatim: [] };
    const { bytes, plain } = await encodeTable(empty, nodeCompressor);
    assert.deepEqual(await decodeTable(bytes, plain, nodeCompressor), empty);
  });

  it('comes back for any rows, in whatever frames they are grouped', async () => {
    const name = uniqueArray(constantFrom(...'abcdefghijklmnopqrstuvwxyz'), { minLength: 1, maxLength: 5 }).map((letters) => letters.join(''));
    const row = record({
      name,
      kind: constantFrom('file', 'symlink', 'directory'),
      mode: integer({ min: 0, max: 0o7777 }),
      size: integer({ min: 0, max: 5 * LEAF_SIZE }),
      digest: uint8Array({ minLength: 32, maxLength: 32 }),
      uid: option(integer({ min: 0, max: 2 ** 32 - 1 }), { nil: undefined }),
    });
    await assertProperty(
      asyncProperty(array(row, { maxLength: 40 }), integer({ min: 1, max: 3 * LEAF_SIZE }), async (rows, target) => {
        const byPath = new Map(rows.map((each) => [`usr/${each.name}`, each]));
        const entries = [...byPath].toSorted(([a], [b]) => comparePaths(a, b)).map(([at, each]): Entry => {
          const owner = each.uid === undefined ? undefined : { uid: each.uid, gid: 7, user: 'u', group: '' };
          if (each.kind === 'symlink') return { type: 'symlink', path: path(at), target: '../bin/x', owner };
          if (each.kind === 'directory') return { type: 'directory', path: path(at), mode: each.mode, owner };
          return { type: 'file', path: path(at), mode: each.mode, id: fileIdFromDigest(each.digest, each.size), size: each.size, owner };
        });
        const files = distinctFiles(entries);
        const units = frameUnits(files);
        const frames = groupUnits(units, units.map(({ length }) => length), target).map((group) => ({ pieces: mergePieces(group) }));
        const table: Table = { entries, files, frames, verbatim: [] };
        const { bytes, plain } = await encodeTable(table, nodeCompressor);
        const back = await decodeTable(bytes, plain, nodeCompressor);
        assert.deepEqual(stripped(back), stripped(table));
        assert.equal(frames.flatMap(({ pieces }) => pieces).reduce((sum, { length }) => sum + length, 0), files.reduce((sum, file) => sum + travelSize(file), 0));
      }),
      { numRuns: 100 },
    );
  });

  for (const { name, change, code } of HOSTILE_TABLES) {
    it(`with ${name} is refused`, async () => {
      const good = await columnsOf(goodTable());
      const bad = typeof change === 'function' ? change(good) : { ...good, ...change };
      await assert.rejects(async () => decodeColumns(bad), isMossError(code));
    });
  }

  it('that unpacks to more than it says is refused', async () => {
    const bomb = nodeCompressor.compress(new Uint8Array(64 * 1024 * 1024), { level: 1 });
    await assert.rejects(decodeTable(bomb, 1000, nodeCompressor), isMossError('bad-frame'));
  });

  it('that unpacks to less than it says is refused', async () => {
    await assert.rejects(decodeTable(nodeCompressor.compress(new Uint8Array(10), { level: 1 }), 1000, nodeCompressor), isMossError('bad-frame'));
  });

  it('that says it unpacks to more than a table may be is refused before', async () => {
    await assert.rejects(decodeTable(new Uint8Array(), MAX_TABLE_SIZE + 1, nodeCompressor), isMossError('bad-manifest'));
  });

  it('that is no zstd is refused', async () => {
    await assert.rejects(decodeTable(Buffer.from('no zstd at all'), 1000, nodeCompressor), isMossError('bad-frame'));
  });

  it('of lists in lists, a million deep, is refused', async () => {
    await assert.rejects(decodePlain(new Uint8Array(1_000_000).fill(0x81)), isMossError('bad-manifest'));
  });

  it('with the length of a list of 2^63 is refused', async () => {
    await assert.rejects(decodePlain(Uint8Array.of(0x9b, 0x80, 0, 0, 0, 0, 0, 0, 0)), isMossError('bad-manifest'));
  });

  it('with the length of a byte string of 2^53 is refused', async () => {
    await assert.rejects(decodePlain(Uint8Array.of(0x5b, 0, 0x20, 0, 0, 0, 0, 0, 0, 1)), isMossError('bad-manifest'));
  });

  it('in cbor that is not canonical is refused', async () => {
    // A map with its keys out of order, and one of indefinite length.
    await assert.rejects(decodePlain(Uint8Array.of(0xa2, 0x62, 0x61, 0x61, 0x01, 0x61, 0x61, 0x01)), isMossError('bad-manifest'));
    await assert.rejects(decodePlain(Uint8Array.of(0xbf, 0xff)), isMossError('bad-manifest'));
  });

  it('with any bytes changed is refused with a MossError or still a table', async () => {
    const { bytes, plain } = await encodeTable(goodTable(), nodeCompressor);
    const cbor = nodeCompressor.decompress(bytes, { size: plain });
    await assertProperty(
      asyncProperty(array(record({ at: integer({ min: 0, max: cbor.length - 1 }), byte: integer({ min: 0, max: 255 }) }), { minLength: 1, maxLength: 4 }), async (changes) => {
        const changed = Uint8Array.from(cbor);
        for (const { at, byte } of changes) changed[at] = byte;
        try {
          await decodePlain(changed);
        } catch (error) {
          assert.ok(error instanceof MossError, error instanceof Error ? error.stack : String(error));
        }
      }),
      { numRuns: Number(process.env['MOSS_TEST_FUZZ'] ?? 2000) },
    );
  });
});

/** Without fields that are there and undefined. */
function stripped(table: Table): unknown {
  return JSON.parse(JSON.stringify(table));
}
