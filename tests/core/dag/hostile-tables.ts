/** File tables that must be refused, as data: what is changed of a good one. */
import type { ErrorCode } from '../../../core/error.ts';

/** The columns of a table as they travel. */
export type Columns = Record<string, unknown>;

export interface HostileTable {
  name: string;
  /** Fields to replace; `undefined` takes one out. */
  change: Columns | ((good: Columns) => Columns);
  code: ErrorCode;
}

const MIB = 1024 * 1024;
const paths = (...all: string[]): Columns => ({ paths: all.join('\0') });

/** Paths in place of the good table's three: a directory, a file and a link. */
const badPaths: [name: string, changed: Columns][] = [
  ['a path with ..', paths('../etc', 'usr/file', 'usr/link')],
  ['a path with .. in its middle', paths('usr', 'usr/a/../../../etc/passwd', 'usr/link')],
  ['an absolute path', paths('/usr', 'usr/file', 'usr/link')],
  ['a path with two slashes', paths('usr', 'usr//file', 'usr/link')],
  ['a path that ends with a slash', paths('usr', 'usr/file/', 'usr/link')],
  ['a path with a dot for a name', paths('usr', 'usr/./file', 'usr/link')],
  ['an empty path', paths('', 'usr/file', 'usr/link')],
  ['a path that is not merged into usr', paths('bin', 'usr/file', 'usr/link')],
  ['the directory of moss itself', paths('.moss', 'usr/file', 'usr/link')],
  ['a file in the directory of moss itself', paths('.moss/current', 'usr/file', 'usr/link')],
  ['the same path twice', paths('usr', 'usr', 'usr/link')],
  ['paths out of order', paths('usr', 'usr/link', 'usr/file')],
  ['a name of 256 bytes', paths('usr', `usr/${'a'.repeat(256)}`, 'usr/z')],
  ['a name of 128 letters that are 256 bytes', paths('usr', `usr/${'é'.repeat(128)}`, 'usr/éz')],
  ['a path of 4,000 bytes', paths('usr', `usr/${'abcdefgh/'.repeat(444)}z`, 'usr/z')],
  ['half of a surrogate pair', paths('usr', 'usr/\uD800', 'usr/\uFFFF')],
  ['a replacement character', paths('usr', 'usr/\uFFFD', 'usr/\uFFFF')],
];

const badTargets: [name: string, target: string][] = [
  ['a link that climbs out', '../../etc/passwd'],
  ['a link that climbs out after going down', 'a/b/../../../../etc'],
  ['an absolute link that climbs out', '/usr/../../etc/passwd'],
  ['an absolute link that begins with ..', '/../etc'],
  ['a link to nothing', ''],
  ['a link of 4,000 bytes', 'a/'.repeat(2000)],
];

export const HOSTILE_TABLES: readonly HostileTable[] = [
  ...badPaths.map(([name, change]): HostileTable => ({ name, change, code: 'bad-path' })),
  ...badTargets.map(([name, target]): HostileTable => ({ name, change: { targets: target }, code: 'bad-path' })),

  // Columns.
  { name: 'no types', change: { types: undefined }, code: 'bad-manifest' },
  { name: 'types as a text', change: { types: 'fsd' }, code: 'bad-manifest' },
  { name: 'a type that does not exist', change: { types: Uint8Array.of(2, 0, 7) }, code: 'bad-manifest' },
  { name: 'more types than paths', change: { types: Uint8Array.of(2, 0, 1, 2) }, code: 'bad-manifest' },
  { name: 'more paths than types', change: paths('usr', 'usr/file', 'usr/link', 'usr/more'), code: 'bad-manifest' },
  { name: 'more rows than a part may have', change: { types: new Uint8Array(20_000).fill(2), paths: Array.from({ length: 20_000 }, (_, i) => `usr/${String(i).padStart(6, '0')}`).join('\0') }, code: 'bad-manifest' },
  { name: 'no digests', change: { digests: undefined }, code: 'bad-manifest' },
  { name: 'half a digest', change: { digests: new Uint8Array(16) }, code: 'bad-manifest' },
  { name: 'two digests for one file', change: { digests: new Uint8Array(64) }, code: 'bad-manifest' },
  { name: 'no sizes', change: { sizes: [] }, code: 'bad-manifest' },
  { name: 'a negative size', change: { sizes: [-1] }, code: 'bad-manifest' },
  { name: 'a size of 2^63', change: { sizes: [2n ** 63n] }, code: 'bad-manifest' },
  { name: 'a size that is no whole number', change: { sizes: [1.5] }, code: 'bad-manifest' },
  { name: 'a size as a text', change: { sizes: ['5'] }, code: 'bad-manifest' },
  { name: 'a mode beyond the permission bits', change: { modes: [0o100_644, 0o755] }, code: 'bad-manifest' },
  { name: 'a mode that is not in the list', change: { mode: Uint8Array.of(9, 9, 9) }, code: 'bad-manifest' },
  { name: 'modes of another length', change: { mode: Uint8Array.of(0) }, code: 'bad-manifest' },
  { name: 'more link targets than links', change: { targets: 'a\0b' }, code: 'bad-manifest' },
  { name: 'an owner of a row that does not exist', change: { owners: [{ row: 3, uid: 0, gid: 0, user: '', group: '' }] }, code: 'bad-manifest' },
  { name: 'an owner with a negative number', change: { owners: [{ row: 1, uid: -1, gid: 0, user: '', group: '' }] }, code: 'bad-manifest' },
  { name: 'an owner with a number of 2^40', change: { owners: [{ row: 1, uid: 2 ** 40, gid: 0, user: '', group: '' }] }, code: 'bad-manifest' },

  // Frames.
  { name: 'no frames', change: { frames: undefined }, code: 'bad-manifest' },
  { name: 'frames that do not cover a file', change: { frames: [] }, code: 'bad-manifest' },
  { name: 'frames that cover a file twice', change: { frames: [[0], [0]] }, code: 'bad-manifest' },
  { name: 'one frame that holds a file twice', change: { frames: [[0, 0]] }, code: 'bad-manifest' },
  { name: 'a frame with a file that does not exist', change: { frames: [[1]] }, code: 'bad-manifest' },
  { name: 'a frame with a negative file', change: { frames: [[-1]] }, code: 'bad-manifest' },
  { name: 'a frame with half a file number', change: { frames: [[0.5]] }, code: 'bad-manifest' },
  { name: 'a frame that is no list', change: { frames: ['all'] }, code: 'bad-manifest' },
  { name: 'a run that is longer than the file', change: { frames: [[0, -1, 4 * MIB]] }, code: 'bad-manifest' },
  { name: 'a run of 2^53 bytes', change: { frames: [[0, -1, 2 ** 53 - 1]] }, code: 'bad-manifest' },
  { name: 'a run of no bytes', change: { frames: [[0, -1, 0]] }, code: 'bad-manifest' },
  { name: 'a run without a length', change: { frames: [[0, -1]] }, code: 'bad-manifest' },
  { name: 'a run that ends within a leaf', change: { frames: [[0, -1, MIB + 5], [0, -2, MIB * 2 - 5]] }, code: 'bad-manifest' },
  { name: 'runs that overlap', change: { frames: [[0, -1, 2 * MIB], [0, -2, 2 * MIB]] }, code: 'bad-manifest' },
  { name: 'runs with a gap', change: { frames: [[0, -1, MIB], [0, -3, MIB]] }, code: 'bad-manifest' },
  { name: 'runs out of order', change: { frames: [[0, -2, 2 * MIB], [0, -1, MIB]] }, code: 'bad-manifest' },
  { name: 'a run that begins half a leaf in', change: { frames: [[0, -1.5, MIB]] }, code: 'bad-manifest' },

  // Recipes, bases, filters.
  { name: 'a recipe that does not exist', change: { recipes: [[0, 99, 5]] }, code: 'bad-manifest' },
  { name: 'a recipe for a file that does not exist', change: { recipes: [[5, 0, 5]] }, code: 'bad-manifest' },
  { name: 'a recipe for content of 2 MiB', change: { recipes: [[0, 0, 2 * MIB]] }, code: 'bad-manifest' },
  { name: 'a recipe with a size of 2^63', change: { recipes: [[0, 0, 2n ** 63n]] }, code: 'bad-manifest' },
  { name: 'a recipe that is no list', change: { recipes: ['gzip'] }, code: 'bad-manifest' },
  { name: 'a base for a frame that does not exist', change: { bases: [{ frame: 9, digest: new Uint8Array(32), size: 5, offset: 0, length: 5 }] }, code: 'bad-manifest' },
  { name: 'a base beyond the end of its file', change: { bases: [{ frame: 0, digest: new Uint8Array(32), size: 5, offset: 2, length: 5 }] }, code: 'bad-manifest' },
  { name: 'a base that starts beyond the end of its file', change: { bases: [{ frame: 0, digest: new Uint8Array(32), size: 5, offset: 9, length: 1 }] }, code: 'bad-manifest' },
  { name: 'a base of 1 GiB', change: { bases: [{ frame: 0, digest: new Uint8Array(32), size: 2 ** 31, offset: 0, length: 2 ** 30 }] }, code: 'bad-manifest' },
  { name: 'a base with half a digest', change: { bases: [{ frame: 0, digest: new Uint8Array(16), size: 5, offset: 0, length: 5 }] }, code: 'bad-manifest' },
  { name: 'a filter that does not exist', change: { filters: [[0, 99]] }, code: 'bad-manifest' },
  { name: 'a filter of a frame that does not exist', change: { filters: [[9, 0]] }, code: 'bad-manifest' },
];
