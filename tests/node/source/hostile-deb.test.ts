/** Bad `.deb` files, as data: each is refused, naming the file, the place and the reason. */
import { readFileSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { ar, BINARY, CONTROL, controlMember, dataMember, deb, type Member } from '../../fixtures/deb-package.ts';
import { testHostile, type HostileCase } from '../../fixtures/importing.ts';
import { directory, file, hardlink, longName, pax, symlink, tar, TAR_END, tarMember, type TarFields } from '../../fixtures/tar-archive.ts';

const xzFixture = (name: string) => readFileSync(new URL(`../../fixtures/xz/${name}.xz`, import.meta.url));

/** A `.deb` with this data archive. */
const withData = (...members: (TarFields | Buffer)[]) => deb({ data: tar(...members) });
/** A `.deb` whose data archive is these bytes, as they are. */
const withRaw = (bytes: Uint8Array, name = 'data.tar') => ar(BINARY, controlMember(), { name, bytes });
const withControl = (control: string | Uint8Array) => deb({ control });
const withField = (field: string) => withControl(`${CONTROL}${field}\n`);
const without = (field: string) => withControl(CONTROL.replace(new RegExp(`^${field}: .*\n`, 'm'), ''));
const size = (text: string | Uint8Array) => withRaw(tar(file('./usr/a', 'x'.repeat(600), { size: text })));
const zeros = (length: number) => Buffer.alloc(length);
const replaced = (member: Partial<Member>) => ar(BINARY, controlMember(), { ...dataMember(), ...member });

const whole = deb({ compression: '' });
const gz = deb();
const xz = deb({ compression: '.xz' });
const zst = deb({ compression: '.zst' });

const truncated: HostileCase[] = [
  { name: 'nothing', bytes: zeros(0), code: 'unsupported', says: /at byte 0: it is no \.deb/ },
  { name: 'half of the magic', bytes: whole.subarray(0, 4), code: 'unsupported', says: /it is no \.deb/ },
  { name: 'only the magic', bytes: whole.subarray(0, 8), says: /first member is not debian-binary/ },
  { name: 'cut in the first header', bytes: whole.subarray(0, 40), says: /at byte 8: it ends within a member header/ },
  { name: 'cut after the first header', bytes: whole.subarray(0, 68), says: /"debian-binary" says 4 bytes, and only 0 follow/ },
  { name: 'cut after debian-binary', bytes: whole.subarray(0, 72), says: /control\.tar is missing/ },
  { name: 'cut in the header of control', bytes: whole.subarray(0, 100), says: /at byte 72: it ends within a member header/ },
  { name: 'cut in control', bytes: whole.subarray(0, 700), says: /"control\.tar" says \d+ bytes/ },
  { name: 'cut after control', bytes: whole.subarray(0, 72 + 60 + 2048), says: /data\.tar is missing/ },
  { name: 'cut in data', bytes: whole.subarray(0, -100), says: /"data\.tar" says \d+ bytes/ },
  { name: 'gzip cut short', bytes: replaced({ bytes: dataMember().bytes.subarray(0, -9) }), says: /data\.tar\.gz, at byte \d+: its gzip data is corrupt or truncated/ },
  { name: 'gzip without its checksum', bytes: replaced({ bytes: dataMember().bytes.subarray(0, -4) }), says: /its gzip data is corrupt or truncated/ },
  { name: 'zstd cut short', bytes: withRaw(dataMember(undefined, '.zst').bytes.subarray(0, -9), 'data.tar.zst'), says: /data\.tar\.zst.*(zstd data is corrupt or truncated|it ends within)/ },
  { name: 'xz cut short', bytes: withRaw(dataMember(undefined, '.xz').bytes.subarray(0, -100), 'data.tar.xz'), says: /data\.tar\.xz, at byte \d+: its xz data cannot be read/ },
  { name: 'xz without its footer', bytes: withRaw(dataMember(undefined, '.xz').bytes.subarray(0, -12), 'data.tar.xz'), says: /its xz data cannot be read/ },
  { name: 'xz of nothing', bytes: withRaw(zeros(0), 'data.tar.xz'), says: /its xz data cannot be read/ },
  { name: 'gzip of nothing', bytes: withRaw(zeros(0), 'data.tar.gz'), says: /data\.tar\.gz/ },
  { name: 'zstd of nothing', bytes: withRaw(zeros(0), 'data.tar.zst'), says: /data\.tar\.zst/ },
  { name: 'a tar without its end mark', bytes: withRaw(tarMember(file('./usr/a'))), says: /data\.tar, at byte 1024: it ends within a tar header/ },
  { name: 'a tar cut in a header', bytes: withRaw(tarMember(file('./usr/a')).subarray(0, 300)), says: /it ends within a tar header/ },
  { name: 'a tar cut in a content', bytes: withRaw(tarMember(file('./usr/a', 'x'.repeat(600))).subarray(0, 700)), says: /it ends within the content of a file, which has 600 bytes from byte 512 on/ },
  { name: 'an empty tar', bytes: withRaw(zeros(0)), says: /it ends within a tar header/ },
];

const corrupt: HostileCase[] = [
  { name: 'a member header without its end mark', bytes: replaced({ end: 'xx' }), says: /member header without its end mark/ },
  { name: 'a member size that is no number', bytes: replaced({ size: '12x' }), says: /member size that is no number/ },
  { name: 'a negative member size', bytes: replaced({ size: '-1' }), says: /member size that is no number/ },
  { name: 'a member size beyond the file', bytes: replaced({ size: '9999999999' }), says: /says 9999999999 bytes, and only/ },
  { name: 'no member size', bytes: replaced({ size: '' }), says: /member size that is no number/ },
  { name: 'gzip with a flipped bit', bytes: flipped(gz, -30), says: /its gzip data is corrupt|checksum/ },
  { name: 'gzip with a wrong checksum', bytes: flipped(gz, -6), says: /its gzip data is corrupt/ },
  { name: 'xz with a flipped bit', bytes: flipped(xz, -700), says: /its xz data cannot be read: it is corrupt/ },
  { name: 'zstd with a flipped bit', bytes: flipped(zst, -20), says: /zstd data is corrupt|tar header/ },
  { name: 'bytes after gzip', bytes: replaced({ bytes: Buffer.concat([dataMember().bytes, Buffer.from('evil')]) }), says: /its gzip data is corrupt/ },
  { name: 'zeros after gzip', bytes: replaced({ bytes: Buffer.concat([dataMember().bytes, zeros(8)]) }), says: /8 bytes follow the gzip data/ },
  { name: 'bytes after xz', bytes: withRaw(Buffer.concat([dataMember(undefined, '.xz').bytes, Buffer.from('evil')]), 'data.tar.xz'), says: /its xz data cannot be read/ },
  { name: 'bytes after zstd', bytes: withRaw(Buffer.concat([dataMember(undefined, '.zst').bytes, Buffer.from('evil')]), 'data.tar.zst'), says: /zstd data/ },
  { name: 'gzip that is none', bytes: withRaw(tar(), 'data.tar.gz'), says: /its gzip data is corrupt/ },
  { name: 'xz that is none', bytes: withRaw(tar(), 'data.tar.xz'), says: /its xz data cannot be read: it is no xz data/ },
  { name: 'zstd that is none', bytes: withRaw(tar(), 'data.tar.zst'), says: /its zstd data is corrupt/ },
  { name: 'xz with a check that is not supported', bytes: withRaw(xzFixture('sha256-check'), 'data.tar.xz'), code: 'unsupported', says: /not supported/ },
  { name: 'xz with a filter that is not supported', bytes: withRaw(xzFixture('bcj'), 'data.tar.xz'), code: 'unsupported', says: /not supported/ },
  { name: 'lzma', bytes: withRaw(tar(), 'data.tar.lzma'), code: 'unsupported', says: /the compression of data\.tar\.lzma/ },
  { name: 'bzip2', bytes: withRaw(tar(), 'data.tar.bz2'), code: 'unsupported', says: /the compression of data\.tar\.bz2/ },
  { name: 'a tar header with a wrong checksum', bytes: withData(file('./usr/a', 'a', { checksumOff: 1 })), says: /data\.tar\.gz, at byte 0: the checksum of a tar header is wrong/ },
  { name: 'bytes after the end mark', bytes: withRaw(Buffer.concat([tar(file('./usr/a')), tarMember(file('./usr/b'))])), says: /at byte 2048: bytes other than zero after the end mark/ },
  { name: 'a block that is half a header', bytes: withRaw(Buffer.concat([tarMember(file('./usr/a')), Buffer.alloc(512, 1), TAR_END])), says: /at byte 1172: the checksum of a tar header is no number/ },
];

const members: HostileCase[] = [
  { name: 'no debian-binary', bytes: ar(controlMember(), dataMember()), says: /first member is not debian-binary/ },
  { name: 'debian-binary of another format', bytes: ar({ ...BINARY, bytes: Buffer.from('3.0\n') }, controlMember(), dataMember()), code: 'unsupported', says: /version 3\.0 of the format/ },
  { name: 'debian-binary of nonsense', bytes: ar({ ...BINARY, bytes: Buffer.from('pea\n') }, controlMember(), dataMember()), says: /no version of the format/ },
  { name: 'an empty debian-binary', bytes: ar({ ...BINARY, bytes: zeros(0) }, controlMember(), dataMember()), says: /no version of the format/ },
  { name: 'no control', bytes: ar(BINARY, dataMember()), says: /control\.tar is missing; "data\.tar\.gz" stands in its place/ },
  { name: 'no data', bytes: ar(BINARY, controlMember()), says: /data\.tar is missing/ },
  { name: 'data before control', bytes: ar(BINARY, dataMember(), controlMember()), says: /control\.tar is missing/ },
  { name: 'control twice', bytes: ar(BINARY, controlMember(), controlMember(), dataMember()), says: /data\.tar is missing/ },
  { name: 'data twice', bytes: ar(BINARY, controlMember(), dataMember(), dataMember()), says: /a second member data\.tar\.gz/ },
  { name: 'a stranger before data', bytes: ar(BINARY, controlMember(), { name: 'evil', bytes: zeros(1) }, dataMember()), says: /"evil" stands in its place/ },
  { name: 'too many members', bytes: ar(BINARY, ...Array.from({ length: 70 }, (_, i) => ({ name: `_${i}`, bytes: zeros(0) }))), says: /more than 64 members/ },
  { name: 'an ar archive of something else', bytes: ar({ name: 'a.o', bytes: zeros(10) }), says: /first member is not debian-binary/ },
];

const control: HostileCase[] = [
  { name: 'control without a control file', bytes: ar(BINARY, { name: 'control.tar', bytes: tar(file('./md5sums')) }, dataMember()), says: /control\.tar: it holds no file "control"/ },
  { name: 'an empty control file', bytes: withControl(''), says: /control, at byte 0: it has no fields/ },
  { name: 'no Package', bytes: without('Package'), says: /the field Package is missing/ },
  { name: 'no Version', bytes: without('Version'), says: /the field Version is missing/ },
  { name: 'no Architecture', bytes: without('Architecture'), says: /the field Architecture is missing/ },
  { name: 'a name that leads upwards', bytes: withControl(CONTROL.replace('pea', '../../etc')), says: /"\.\.\/\.\.\/etc" cannot be the name of a package/ },
  { name: 'a version that is none', bytes: withControl(CONTROL.replace('1.0-1', 'one two')), says: /version: / },
  { name: 'an architecture that is none', bytes: withControl(CONTROL.replace('amd64', '../x')), says: /cannot be an architecture/ },
  { name: 'a dependency that is none', bytes: withField('Recommends: a (>> ), ../b'), says: /recommends: / },
  { name: 'a provide with another relation', bytes: withField('Provides: a (>> 1)'), says: /provides: / },
  { name: 'Multi-Arch of nonsense', bytes: withField('Multi-Arch: maybe'), says: /Multi-Arch is "maybe"/ },
  { name: 'a field twice', bytes: withField('Package: bean'), says: /the field Package comes twice/ },
  { name: 'two paragraphs', bytes: withField('\nPackage: bean'), says: /more than one paragraph/ },
  { name: 'a line that is no field', bytes: withControl('hello\n'), says: /control, at byte 0: a line that is no field/ },
  { name: 'a first line that continues nothing', bytes: withControl(' hello\n'), says: /continues no field/ },
  { name: 'a control file of noise', bytes: withControl(Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * 7919) % 256))), says: /control/ },
  { name: 'a description of half a megabyte', bytes: withField(`X: y\nDescription2: z`.replace('X: y\nDescription2: z', `Homepage: ${'x'.repeat(2 ** 19)}`)), says: /homepage has \d+ characters/ },
  { name: 'a control file of 17 MiB', bytes: () => withControl(Buffer.alloc(17 * 2 ** 20, 'X')), says: /control\.tar\.gz, at byte 0, "\.\/control": 17825792 bytes; the limit is/ },
  { name: 'a control file twice', bytes: ar(BINARY, { name: 'control.tar', bytes: tar(file('./control', CONTROL), file('control', CONTROL)) }, dataMember()), says: /it comes twice/ },
  { name: 'a control file that is a link', bytes: ar(BINARY, { name: 'control.tar', bytes: tar(symlink('./control', '/etc/passwd')) }, dataMember()), says: /a symlink among the control files/ },
  { name: 'too many control files', bytes: ar(BINARY, { name: 'control.tar', bytes: tar(...Array.from({ length: 4200 }, (_, i) => file(`./${i}`, ''))) }, dataMember()), says: /more than 4096 entries/ },
  { name: 'a conffile that leads upwards', bytes: deb({ scripts: { conffiles: '/usr/../../etc/passwd\n' } }), code: 'bad-path', says: /conffiles.*leads upwards/ },
];

const sizes: HostileCase[] = [
  { name: 'a size beyond the archive', bytes: size('00000077777'), says: /it ends within the content of a file, which has 32767 bytes/ },
  { name: 'a size less than the content', bytes: size('00000001000'), says: /at byte 1024/ },
  { name: 'a size of 8 GiB', bytes: size('77777777777'), says: /unpacks to more than 1048576 bytes/ },
  { name: 'a size of 2^63', bytes: size(base256(2n ** 63n)), says: /the size of a tar header is no number that can be/ },
  { name: 'a size of 2^64 - 1', bytes: size(base256(2n ** 64n - 1n)), says: /the size of a tar header is no number/ },
  { name: 'a size of 2^53', bytes: size(base256(2n ** 53n)), says: /the size of a tar header is no number/ },
  { name: 'a size of 2^52', bytes: size(base256(2n ** 52n)), says: /unpacks to more than/ },
  { name: 'a negative size in base 256', bytes: size(Buffer.alloc(12, 0xff)), says: /the size of a tar header is no number/ },
  { name: 'a negative octal size', bytes: size('-0000000001'), says: /the size of a tar header is no number/ },
  { name: 'a size of letters', bytes: size('abcdefghijk'), says: /the size of a tar header is no number/ },
  { name: 'a pax size of 2^63', bytes: withData(pax({ size: '9223372036854775808' }), file('./usr/a')), says: /a pax header says size=9223372036854775808/ },
  { name: 'a negative pax size', bytes: withData(pax({ size: '-1' }), file('./usr/a')), says: /a pax header says size=-1/ },
  { name: 'a pax record with a length that lies', bytes: withData({ ...pax({}), content: '99 path=./usr/x\n' }), says: /record with a wrong length/ },
  { name: 'a pax record with a length of nothing', bytes: withData({ ...pax({}), content: '0 path=./usr/x\n' }), says: /record with a wrong length/ },
  { name: 'a pax record without =', bytes: withData({ ...pax({}), content: '8 hello\n' }), says: /record without =/ },
  { name: 'a pax header of a megabyte', bytes: withData({ ...pax({}), content: zeros(2 ** 20) }), says: /pax header of 1048576 bytes/ },
  { name: 'a long name of a megabyte', bytes: withData(longName(Buffer.alloc(2 ** 20, 'a')), file('x')), says: /name or pax header of 1048577 bytes/ },
  { name: 'a long name of 2^40', bytes: withData({ ...longName('a'), size: base256(2n ** 40n) }), says: /name or pax header of 1099511627776 bytes/ },
  { name: 'a link with content', bytes: withData({ ...symlink('./usr/a', 'b'), content: 'c' }), says: /a symlink with 1 bytes of content/ },
  { name: 'a directory with content', bytes: withData({ ...directory('./usr/a'), content: 'c' }), says: /a directory with 1 bytes of content/ },
  { name: 'a file with content that is a directory by its name', bytes: withData(file('./usr/a/', 'c')), says: /a directory with 1 bytes of content/ },
  { name: 'more entries than are allowed', bytes: withData(...Array.from({ length: 20 }, (_, i) => file(`./usr/${i}`))), limits: { entries: 10 }, says: /more than 10 entries/ },
  { name: 'more long names than are allowed', bytes: withData(...Array.from({ length: 20 }, () => longName('a'))), limits: { entries: 10 }, says: /more than 10 entries/ },
];

const bombs: HostileCase[] = [
  { name: 'gzip of zeros', bytes: () => withRaw(gzipSync(zeros(64 * 2 ** 20)), 'data.tar.gz'), says: /megabyte of zeros after the end mark/ },
  { name: 'zstd of zeros', bytes: () => withRaw(zstdCompressSync(zeros(64 * 2 ** 20)), 'data.tar.zst'), says: /megabyte of zeros after the end mark/ },
  { name: 'xz of zeros', bytes: withRaw(xzFixture('zeros-16m'), 'data.tar.xz'), says: /megabyte of zeros after the end mark/ },
  { name: 'a control archive of zeros', bytes: () => ar(BINARY, { name: 'control.tar.gz', bytes: gzipSync(zeros(64 * 2 ** 20)) }, dataMember()), says: /control\.tar\.gz.*megabyte of zeros/ },
  { name: 'a file of 64 MiB of zeros', bytes: () => withData(file('./usr/a', zeros(64 * 2 ** 20))), says: /"\.\/usr\/a": it unpacks to more than 1048576 bytes/ },
  { name: 'many files that are small each', bytes: () => withData(...Array.from({ length: 20 }, (_, i) => file(`./usr/${i}`, zeros(2 ** 16)))), says: /unpacks to more than 1048576 bytes/ },
  { name: 'xz that asks for 128 MiB of memory', bytes: withRaw(xzFixture('dictionary-128m'), 'data.tar.xz'), code: 'unsupported', says: /more than 64 MiB of memory/ },
  { name: 'zstd that asks for 1 GiB of memory', bytes: withRaw(Buffer.concat([Buffer.from('28b52ffd', 'hex'), Buffer.from([0x00, (30 - 10) << 3]), zeros(100)]), 'data.tar.zst'), says: /zstd data is corrupt or truncated/ },
];

/** Members, and what the path is refused for. */
const badPaths: [name: string, what: TarFields | TarFields[], says: RegExp][] = [
  ['a path that leads upwards', file('../etc/passwd'), /leads upwards/],
  ['a path that leads upwards later', file('./usr/../../etc/passwd'), /leads upwards/],
  ['an absolute path that leads upwards', file('/../etc/passwd'), /leads upwards/],
  ['a directory that leads upwards', directory('./..'), /leads upwards/],
  ['a long name that leads upwards', [longName('./usr/../../x'), file('y')], /leads upwards/],
  ['a pax path that leads upwards', [pax({ path: '../x' }), file('y')], /leads upwards/],
  ['a pax path for all that leads upwards', [pax({ path: '../x' }, 'g'), file('y')], /leads upwards/],
  ['a pax path with a NUL', [pax({ path: 'usr/a\0b' }), file('y')], /NUL/],
  ['a long name with a NUL', [longName('./usr/a\0b'), file('y')], /NUL/],
  ['a path that is not UTF-8', file(Buffer.from([0x75, 0x73, 0x72, 0x2f, 0xff, 0xfe])), /not valid UTF-8/],
  ['a name of 300 bytes', [longName(`./usr/${'a'.repeat(300)}`), file('y')], /longer than 255 bytes/],
  ['a path of 5,000 bytes', [longName(`./usr${'/abcdefghi'.repeat(500)}`), file('y')], /longer than 3072 bytes/],
  ['a path of 60,000 slashes and dots', [longName(`${'./'.repeat(30_000)}.`), file('y')], /root of the system is a directory/],
  ['the own directory of moss', file('./.moss/current'), /belongs to moss/],
  ['a file in the place of the root', file('./'.slice(0, 1)), /root of the system is a directory/],
  ['a link in the place of the root', symlink('./', '/etc'), /root of the system is a directory/],
  ['a symlink out of the root', symlink('./usr/a', '../../etc'), /outside of the root/],
  ['an absolute symlink out of the root', symlink('./usr/a', '/../../etc'), /outside of the root/],
  ['a symlink out of the root from lib', symlink('./lib/a', '../../etc'), /outside of the root/],
  ['a symlink to nothing', symlink('./usr/a', ''), /link target is empty/],
  ['a symlink with a NUL', [longName('a\0b', 'K'), symlink('./usr/a', 'x')], /link target/],
  ['a file below a symlink', [symlink('./usr/a', '/etc'), file('./usr/a/passwd')], /lies below "usr\/a", which is a symlink/],
  ['a file below a symlink that comes later', [file('./usr/a/passwd'), symlink('./usr/a', '/etc')], /lies below "usr\/a", which is a symlink/],
  ['a file deep below a symlink', [symlink('./usr/a', 'b'), file('./usr/a/c/d/e')], /lies below "usr\/a"/],
  ['a file below a file', [file('./usr/a'), file('./usr/a/b')], /lies below "usr\/a", which is a file/],
  ['a file below itself in a loop of links', [symlink('./usr/a', 'b'), symlink('./usr/b', 'a'), file('./usr/b/c')], /lies below "usr\/b"/],
  ['a file below a merged link that leads elsewhere', [symlink('./bin', 'etc'), file('./bin/sh')], /lies below "usr\/bin", which is a symlink/],
  ['a hard link to what is outside', hardlink('./usr/a', '../../etc/passwd'), /leads upwards/],
  ['a hard link to an absolute path', hardlink('./usr/a', '/etc/passwd'), /is a hard link to "\/etc\/passwd", which is no file before it/],
  ['a hard link to what is missing', hardlink('./usr/a', './usr/b'), /which is no file before it/],
  ['a hard link to what comes later', [hardlink('./usr/a', './usr/b'), file('./usr/b')], /which is no file before it/],
  ['a hard link to itself', hardlink('./usr/a', './usr/a'), /which is no file before it/],
  ['a hard link to a directory', [directory('./usr/b'), hardlink('./usr/a', './usr/b')], /which is no file before it/],
  ['a hard link to a symlink', [symlink('./usr/b', 'c'), hardlink('./usr/a', './usr/b')], /which is no file before it/],
  ['a file twice, differing', [file('./usr/a', '1'), file('./usr/a', '2')], /it comes twice as "\.\/usr\/a", and they differ/],
  ['a file twice, the second set-user-id', [file('./usr/a', '1'), file('./usr/a', '1', { mode: 0o104755 })], /and they differ/],
  ['a file twice, of two owners', [file('./usr/a', '1'), file('./usr/a', '1', { uid: 1, user: 'daemon' })], /and they differ/],
  ['a file in bin and in usr/bin, differing', [file('./bin/sh', '1'), file('./usr/bin/sh', '2')], /it comes as "\.\/bin\/sh" and "\.\/usr\/bin\/sh", and they differ/],
  ['a file and a directory', [file('./usr/a'), directory('./usr/a/')], /and they differ/],
  ['a symlink over a directory', [directory('./usr/a'), symlink('./usr/a', '/etc')], /and they differ/],
  ['two symlinks, differing', [symlink('./usr/a', 'b'), symlink('./usr/a', 'c')], /and they differ/],
  ['names that differ in Unicode form', [file('./usr/\u00e9', '1'), file('./usr/e\u0301', '2')], /differs from .* only in its Unicode form/],
  ['directories that differ in Unicode form', [file('./usr/\u00e9/a', '1'), file('./usr/e\u0301/b', '2')], /only in its Unicode form/],
  ['the Kelvin sign and K', [file('./usr/K', '1'), file('./usr/\u212a', '2')], /only in its Unicode form/],
];
const paths = badPaths.map(([name, what, says]): HostileCase => ({ name, bytes: withData(...[what].flat()), code: 'bad-path', says }));

const kinds: HostileCase[] = [
  { name: 'a character device', bytes: withData({ name: './dev/null', flag: '3' }), says: /"\.\/dev\/null": it is a character device/ },
  { name: 'a block device', bytes: withData({ name: './dev/sda', flag: '4' }), says: /"\.\/dev\/sda": it is a block device/ },
  { name: 'a fifo', bytes: withData({ name: './run/pipe', flag: '6' }), says: /"\.\/run\/pipe": it is a fifo/ },
  { name: 'an old sparse file', bytes: withData({ name: './usr/a', flag: 'S' }), code: 'unsupported', says: /"\.\/usr\/a": a sparse file/ },
  { name: 'a sparse file by pax', bytes: withData(pax({ 'GNU.sparse.major': '1', 'GNU.sparse.name': './usr/s' }), file('./usr/a')), code: 'unsupported', says: /"\.\/usr\/s": a sparse file/ },
  { name: 'a part of a volume', bytes: withData({ name: './usr/a', flag: 'M' }), code: 'unsupported', says: /several volumes/ },
  { name: 'an unknown type', bytes: withData({ name: './usr/a', flag: 'Q' }), code: 'unsupported', says: /unknown type "Q"/ },
];

testHostile([...truncated, ...corrupt, ...members, ...control, ...sizes, ...bombs, ...paths, ...kinds]);

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  const index = copy.length + at;
  copy[index] = (copy[index] ?? 0) ^ 0x10;
  return copy;
}

/** GNU's base 256 in a field of 12 bytes. */
function base256(value: bigint): Buffer {
  const bytes = Buffer.from(value.toString(16).padStart(24, '0'), 'hex');
  bytes[0] = (bytes[0] ?? 0) | 0x80;
  return bytes;
}
