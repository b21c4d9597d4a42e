/** Bad `.stone` files, as data: each is refused, naming the file, the place and the reason. */
import { readFileSync } from 'node:fs';
import { zstdCompressSync } from 'node:zlib';
import { testHostile, type HostileCase } from '../../fixtures/importing.ts';
import {
  content,
  digestOf,
  index,
  layout,
  meta,
  pea,
  PEA_META,
  stone,
  type IndexField,
  type LayoutField,
  type MetaField,
  type Payload,
  type StoneFields,
} from '../../fixtures/stone-package.ts';

const zeros = (length: number) => Buffer.alloc(length);
const whole = await stone();
const real = readFileSync(new URL('../../fixtures/stone/bash-completion-2.11-1-1-x86_64.stone', import.meta.url));
const digest = await digestOf('content');
const empty = await digestOf('');
const link = (text: string | Uint8Array) => ({ type: 2, source: Buffer.from(text), mode: 0o120777 });

/** The pea with the payload of a kind changed. */
async function changed(kind: number, change: Partial<Payload>): Promise<Buffer> {
  return stone({ payloads: (await pea()).map((payload) => (payload.kind === kind ? Object.assign(payload, change) : payload)) });
}
const withFields = (fields: StoneFields) => () => stone(fields);
const withMeta = (...fields: MetaField[]) => () => pea({ meta: fields }).then((payloads) => stone({ payloads }));
const withMore = (...fields: MetaField[]) => withMeta(...PEA_META, ...fields);
const withLayout = (...fields: LayoutField[]) => () => pea({ layout: fields }).then((payloads) => stone({ payloads }));
const withIndex = (...fields: IndexField[]) => () =>
  stone({ payloads: [meta(...PEA_META), layout({ path: 'a', source: digest }), index(...fields), content(Buffer.from('content'))] });
const without = (tag: number) => withMeta(...PEA_META.filter((field) => field.tag !== tag));

const truncated: HostileCase[] = [
  { name: 'half of the magic', bytes: whole.subarray(0, 2), code: 'unsupported', says: /it is no \.deb, no \.stone/ },
  { name: 'only the magic', bytes: whole.subarray(0, 4), says: /at byte 4: it ends within the header/ },
  { name: 'cut in the header', bytes: whole.subarray(0, 31), says: /at byte 31: it ends within the header/ },
  { name: 'cut after the header', bytes: whole.subarray(0, 32), says: /at byte 32: it ends within a payload header/ },
  { name: 'cut in a payload header', bytes: whole.subarray(0, 50), says: /at byte 32: it ends within a payload header/ },
  { name: 'cut after a payload header', bytes: whole.subarray(0, 64), says: /at byte 32: a payload says \d+ bytes, and only 0 follow/ },
  { name: 'cut in a payload', bytes: whole.subarray(0, 80), says: /and only 16 follow/ },
  { name: 'cut in the last payload', bytes: whole.subarray(0, -1), says: /a payload says/ },
  ...[0.1, 0.3, 0.5, 0.7, 0.9, 0.99].map((part) => ({
    name: `a real package cut at ${part}`,
    bytes: real.subarray(0, Math.floor(real.length * part)),
    says: /at byte \d+: (a payload says|it ends within)/,
  })),
  { name: 'zstd cut short', bytes: () => changed(1, { stored: zstdCompressSync(zeros(500)).subarray(0, -3) }), says: /meta payload, at byte \d+: (its zstd data is corrupt|it unpacks to|it ends within)/ },
  { name: 'zstd of nothing', bytes: () => changed(1, { stored: zeros(0) }), says: /meta payload/ },
  { name: 'content cut short', bytes: () => changed(2, { plain: Buffer.from('cont'), plainSize: 7n }), says: /content payload, at byte 4: it unpacks to 4 bytes, and its header says 7/ },
];

const headers: HostileCase[] = [
  { name: 'a corrupt header', bytes: withFields({ integrity: '000001000002000003000004000005000006000008' }), says: /at byte 6: the header is corrupt/ },
  { name: 'version 0', bytes: withFields({ version: 0 }), code: 'unsupported', says: /version 0 of the format/ },
  { name: 'version 2', bytes: withFields({ version: 2 }), code: 'unsupported', says: /version 2 of the format/ },
  { name: 'an unknown type', bytes: withFields({ type: 9 }), says: /at byte 27: an unknown type of file: 9/ },
  { name: 'a delta', bytes: withFields({ type: 2 }), code: 'unsupported', says: /it is no package, but a file of the type "delta"/ },
  { name: 'an index', bytes: withFields({ type: 3 }), code: 'unsupported', says: /of the type "index"/ },
  { name: 'a build manifest', bytes: withFields({ type: 4 }), code: 'unsupported', says: /of the type "build manifest"/ },
  { name: 'more payloads than there are', bytes: withFields({ count: 65_535 }), says: /it ends within a payload header/ },
  { name: 'fewer payloads than there are', bytes: withFields({ count: 2 }), says: /bytes are left over after the last payload/ },
  { name: 'no payloads', bytes: withFields({ payloads: [] }), says: /it has no meta payload/ },
  { name: 'bytes left over', bytes: withFields({ trailing: Buffer.from('x') }), says: /1 bytes are left over/ },
  { name: 'no meta', bytes: async () => stone({ payloads: (await pea()).slice(1) }), says: /it has no meta payload/ },
  { name: 'meta twice', bytes: async () => stone({ payloads: [...(await pea()), meta(...PEA_META)] }), says: /a second meta payload/ },
  { name: 'content twice', bytes: async () => stone({ payloads: [...(await pea()), content(zeros(1))] }), says: /a second content payload/ },
  { name: 'a payload of another version', bytes: () => changed(3, { version: 2 }), code: 'unsupported', says: /version 2 of a layout payload/ },
  { name: 'a meta payload of unknown compression', bytes: () => changed(1, { compression: 3 }), says: /it has no meta payload/ },
];

const sizes: HostileCase[] = [
  { name: 'a stored size of 2^63', bytes: () => changed(1, { storedSize: 2n ** 63n }), says: /a payload says 9223372036854775808 bytes, and only/ },
  { name: 'a stored size of 2^64 - 1', bytes: () => changed(1, { storedSize: 2n ** 64n - 1n }), says: /a payload says 18446744073709551615 bytes/ },
  { name: 'a stored size one too large', bytes: () => changed(2, { storedSize: 1000n }), says: /a payload says 1000 bytes/ },
  { name: 'a stored size one too small', bytes: () => changed(2, { storedSize: 15n }), says: /1 bytes are left over|a payload says/ },
  { name: 'a plain size of 2^63', bytes: () => changed(2, { plainSize: 2n ** 63n }), says: /says that it unpacks to 9223372036854775808 bytes/ },
  { name: 'a plain size of 2^52', bytes: () => changed(2, { plainSize: 2n ** 52n }), says: /unpacks to more than 1048576 bytes/ },
  { name: 'a plain size of meta of 2^52', bytes: () => changed(1, { plainSize: 2n ** 52n }), says: /its meta payload unpacks to more than 1048576 bytes/ },
  { name: 'a plain size that is too small', bytes: () => changed(1, { plainSize: 10n }), says: /unpacks to more than the 10 bytes that its header says/ },
  { name: 'a plain size that is too large', bytes: () => changed(3, { plainSize: 9999n }), says: /its header says 9999/ },
  { name: 'a value of 2^32 - 1 bytes', bytes: withMeta({ tag: 1, value: 'pea', length: 2 ** 32 - 1 }), says: /a value of 4294967295 bytes; the limit is/ },
  { name: 'a value longer than what is left', bytes: withMeta({ tag: 1, value: 'pea', length: 100 }), says: /it ends within a value, which has 100 bytes/ },
  { name: 'more records than there are', bytes: () => changed(1, { records: 50 }), says: /it ends within the header of a record/ },
  { name: 'fewer records than there are', bytes: () => changed(1, { records: 2 }), says: /bytes follow its 2 records/ },
  { name: 'more rows of layout than there are', bytes: () => changed(3, { records: 50 }), says: /layout payload.*it ends within a record/ },
  { name: 'fewer rows of layout than there are', bytes: () => changed(3, { records: 1 }), says: /bytes follow its 1 records/ },
  { name: '2^32 - 1 rows of layout', bytes: () => changed(3, { records: 2 ** 32 - 1 }), says: /more than 1000 records/ },
  { name: '2^32 - 1 rows of index', bytes: () => changed(4, { records: 2 ** 32 - 1 }), says: /more than 1000 records/ },
  { name: 'a number of three bytes', bytes: withMore({ tag: 13, primitive: 8, value: zeros(3) }), says: /a number of 3 bytes should have 8/ },
  { name: 'a release of 2^64 - 1', bytes: withMeta(...PEA_META.filter((field) => field.tag !== 11), { tag: 11, value: 2n ** 64n - 1n }), says: /the number \d+ cannot be/ },
  { name: 'a negative release', bytes: withMeta(...PEA_META.filter((field) => field.tag !== 11), { tag: 11, primitive: 1, value: Buffer.from([0xff]) }), says: /does not give its release/ },
];

const checksums: HostileCase[] = [
  ...[1, 2, 3, 4].map((kind) => ({
    name: `a wrong checksum of payload ${kind}`,
    bytes: () => changed(kind, { checksum: Buffer.alloc(8, 7) }),
    says: /payload, at byte \d+: its checksum is wrong/,
  })),
  { name: 'a wrong checksum of attributes', bytes: async () => stone({ payloads: [...(await pea()), { kind: 5, plain: zeros(9), checksum: zeros(8) }] }), says: /its attributes payload, at byte \d+: its checksum is wrong/ },
  { name: 'content with another digest', bytes: withIndex({ start: 0n, end: 7n, digest: Buffer.alloc(16, 1) }), says: /content payload, at byte 0: the file from there to 7 does not have the digest 0101/ },
  { name: 'a part of the content with the digest of the whole', bytes: withIndex({ start: 0n, end: 6n, digest }), says: /the file from there to 6 does not have the digest/ },
  { name: 'an empty file with the digest of another', bytes: withIndex({ start: 0n, end: 0n, digest }), says: /an empty file with the digest of another/ },
  ...[200, 60_000, 100_000, 168_000].map((at) => ({
    name: `a real package with a flipped bit at ${at}`,
    bytes: flipped(real, at),
    says: /payload, (at byte \d+: )?.*(corrupt|checksum|digest|ends within|follow|unpacks|overlap|content of|cannot be)/,
  })),
];

const ranges: HostileCase[] = [
  { name: 'a range that ends before it starts', bytes: withIndex({ start: 5n, end: 1n, digest }), says: /index payload, at byte 0: a file from 5 to 1/ },
  { name: 'a range beyond the content', bytes: withIndex({ start: 0n, end: 8n, digest }), says: /a file from 0 to 8, of a content of 7 bytes/ },
  { name: 'a range of 2^63', bytes: withIndex({ start: 2n ** 63n, end: 2n ** 63n + 7n, digest }), says: /a file from 9223372036854775808/ },
  { name: 'ranges that overlap', bytes: withIndex({ start: 0n, end: 7n, digest }, { start: 3n, end: 7n, digest: empty }), says: /from 0 to 7 and from 3 to 7 overlap/ },
  { name: 'one range with two digests', bytes: withIndex({ start: 0n, end: 7n, digest }, { start: 0n, end: 7n, digest: empty }), says: /overlap/ },
  { name: 'a file whose content is missing', bytes: withIndex(), says: /"a": the package does not hold its content/ },
  { name: 'an index without content', bytes: async () => stone({ payloads: (await pea()).slice(0, 3) }), says: /a file from 0 to 7, of a content of 0 bytes/ },
  { name: 'content without an index', bytes: async () => stone({ payloads: (await pea()).filter(({ kind }) => kind !== 4) }), says: /does not hold its content/ },
];

const metas: HostileCase[] = [
  { name: 'no name', bytes: without(1), says: /it does not give its name/ },
  { name: 'no architecture', bytes: without(2), says: /it does not give its architecture/ },
  { name: 'no version', bytes: without(3), says: /it does not give its version/ },
  { name: 'no release', bytes: without(11), says: /it does not give its release/ },
  { name: 'a name twice', bytes: withMore({ tag: 1, value: 'bean' }), says: /it gives its name 2 times/ },
  { name: 'a name that leads upwards', bytes: withMeta({ tag: 1, value: '../x' }, ...PEA_META.slice(1)), says: /cannot be the name of a package/ },
  { name: 'a version of nothing but spaces', bytes: withMeta(...PEA_META.filter((field) => field.tag !== 3), { tag: 3, value: '  ' }), says: /does not give its version/ },
  { name: 'an architecture that is none', bytes: withMeta(...PEA_META.filter((field) => field.tag !== 2), { tag: 2, value: '../../x' }), says: /cannot be an architecture/ },
  { name: 'a name that is a number', bytes: withMeta({ tag: 1, value: 1n }, ...PEA_META.slice(1)), says: /does not give its name/ },
  { name: 'a text without its NUL', bytes: withMore({ tag: 6, value: Buffer.from('abc') }), says: /without the NUL at its end/ },
  { name: 'a text with a NUL', bytes: withMore({ tag: 6, value: 'a\0b' }), says: /holds a NUL/ },
  { name: 'a text that is not UTF-8', bytes: withMore({ tag: 6, value: Buffer.from([0xff, 0xfe, 0]) }), says: /not valid UTF-8/ },
  { name: 'a text of no bytes', bytes: withMore({ tag: 6, value: zeros(0) }), says: /without the NUL/ },
  { name: 'a dependency of an unknown kind', bytes: withMore({ tag: 8, primitive: 10, kind: 99, value: 'x' }), code: 'unsupported', says: /unknown kind 99/ },
  { name: 'a dependency of no bytes', bytes: withMore({ tag: 8, primitive: 10, value: zeros(0) }), code: 'unsupported', says: /a dependency of the unknown kind/ },
  { name: 'a dependency with a comma', bytes: withMore({ tag: 8, primitive: 10, kind: 1, value: 'a,b' }), says: /depends: / },
  { name: 'a provider with a line break', bytes: withMore({ tag: 9, primitive: 11, kind: 1, value: 'a\nb' }), says: /provides: / },
];

/** Rows of layout, and what the path is refused for. */
const badPaths: [name: string, fields: LayoutField[], says: RegExp][] = [
  ['a path that leads upwards', [{ path: '../etc/passwd', source: digest }], /leads upwards/],
  ['a path that leads upwards later', [{ path: 'a/../../etc/passwd', source: digest }], /leads upwards/],
  ['an absolute path', [{ path: '/etc/passwd', source: digest }], /it is absolute/],
  ['a path with a NUL', [{ path: 'a\0b', source: digest }], /NUL/],
  ['a path that is not UTF-8', [{ path: Buffer.from([0xff, 0xfe]), source: digest }], /not valid UTF-8/],
  ['a name of 300 bytes', [{ path: 'a'.repeat(300), source: digest }], /longer than 255/],
  ['a path of 60,000 bytes', [{ path: '/a'.repeat(30_000).slice(1), source: digest }], /longer than 3072/],
  ['a path twice, differing', [{ path: 'a', source: digest }, { path: 'a', source: empty }], /it comes twice/],
  ['a path twice, as file and directory', [{ path: 'a', source: digest }, { path: 'a', type: 3 }], /and they differ/],
  ['a file below a file', [{ path: 'a', source: digest }, { path: 'a/b', source: digest }], /lies below "usr\/a", which is a file/],
  ['a file below a link', [{ path: 'a', ...link('/etc') }, { path: 'a/b', source: digest }], /lies below "usr\/a", which is a symlink/],
  ['a link out of the root', [{ path: 'a', ...link('../../etc') }], /outside of the root/],
  ['a link to nothing', [{ path: 'a', ...link('') }], /link target is empty/],
  ['a link with a NUL', [{ path: 'a', ...link('x\0y') }], /link target/],
  ['a file in the place of usr', [{ path: '', source: digest }, { path: 'a', source: digest }], /lies below "usr", which is a file/],
  ['names that differ in Unicode form', [{ path: '\u00e9', source: digest }, { path: 'e\u0301', source: digest }], /Unicode form/],
];
const paths = badPaths.map(([name, fields, says]): HostileCase => ({ name, bytes: withLayout(...fields), code: 'bad-path', says }));

const kinds: HostileCase[] = [
  ...[
    [4, 'a character device'],
    [5, 'a block device'],
    [6, 'a fifo'],
    [7, 'a socket'],
    [0, 'of the unknown type 0'],
    [200, 'of the unknown type 200'],
  ].map(([type, what]) => ({ name: `an entry that is ${what}`, bytes: withLayout({ path: 'dev/x', type: Number(type) }), says: new RegExp(`"dev/x": it is ${what}`) })),
  { name: 'a digest of 4 bytes', bytes: withLayout({ path: 'a', source: zeros(4) }), says: /a digest of 4 bytes/ },
  { name: 'a digest of no bytes', bytes: withLayout({ path: 'a' }), says: /a digest of 0 bytes/ },
];

const bombs: HostileCase[] = [
  { name: 'content that unpacks to more than it says', bytes: () => changed(2, { stored: zstdCompressSync(zeros(64 * 2 ** 20)) }), says: /unpacks to more than the 7 bytes/ },
  { name: 'layout that unpacks to more than it says', bytes: () => changed(3, { stored: zstdCompressSync(zeros(64 * 2 ** 20)) }), says: /layout payload/ },
  { name: 'meta that unpacks to more than it says', bytes: () => changed(1, { stored: zstdCompressSync(zeros(64 * 2 ** 20)) }), says: /meta payload/ },
  { name: 'content of 64 MiB, as it says', bytes: () => changed(2, { plain: zeros(64 * 2 ** 20) }), says: /its content payload unpacks to more than 1048576 bytes: 67108864/ },
  { name: 'attributes of 64 MiB, as they say', bytes: async () => stone({ payloads: [...(await pea()), { kind: 5, plain: zeros(64 * 2 ** 20) }] }), says: /attributes payload.*more than 1048576 bytes/ },
];

testHostile([...truncated, ...headers, ...sizes, ...checksums, ...ranges, ...metas, ...paths, ...kinds, ...bombs]);

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x10;
  return copy;
}
