/** Importer for `.deb` and `.udeb` (deb(5)). */
import { hash } from 'node:crypto';
import { closeSync, fstatSync, openSync } from 'node:fs';
import type { Entry } from '../../core/dag/entry.ts';
import { LEAF_SIZE } from '../../core/dag/file-id.ts';
import type { Alternative, MaintainerScript } from '../../core/dag/package.ts';
import { parsePath, type PackagePath } from '../../core/dag/path.ts';
import type { AbortSignal } from '../../core/ports/abort.ts';
import { alternativesOf } from './alternatives.ts';
import { arMembers, type ArMember } from './ar.ts';
import { ByteReader } from './byte-reader.ts';
import { debMetadata } from './control.ts';
import { isCopyrightPath, licencesOf, MAX_COPYRIGHT } from './copyright.ts';
import { decompress, type Compression } from './decompress.ts';
import { fileRange, readAt } from './file-range.ts';
import { DEFAULT_LIMITS, type Importer, type ImportLimits, type Spool } from './imported.ts';
import { Place } from './place.ts';
import { TarReader, type TarMember } from './tar.ts';
import { insidePath, ownerOf, Tree, type Content } from './tree.ts';

/** Bytes of one file of the control archive that is looked into, and of the whole archive; entries in it. */
const MAX_CONTROL_FILE = 16 * 2 ** 20;
const CONTROL_LIMITS: ImportLimits = { entries: 4096, bytes: 256 * 2 ** 20 };

/** The maintainer scripts (Debian policy 6.1, debconf-devel(7)); the other control files are data. */
const SCRIPTS = ['preinst', 'postinst', 'prerm', 'postrm', 'config'];

const COMPRESSIONS: Readonly<Record<string, Compression>> = { '': 'none', '.gz': 'gzip', '.xz': 'xz', '.zst': 'zstd' };

/** @throws MossError `bad-package`, `bad-path`, `unsupported`, `io` */
export const importDeb: Importer = async (file, { spool, limits = DEFAULT_LIMITS, signal }) => {
  const place = new Place(file);
  try {
    signal?.throwIfAborted();
    const fd = openSync(file, 'r');
    try {
      const { control, data } = debParts(fd, arMembers(fd, fstatSync(fd).size, place), place);
      const controlFiles = await readControl(openTar(fd, control, place, CONTROL_LIMITS, signal), place.in(control.name));
      const { entries, licences } = await readData(openTar(fd, data, place, limits, signal), place.in(data.name), spool, signal);
      const text = controlFiles.get('control');
      if (text === undefined) throw place.in(control.name).bad('it holds no file "control"');
      return {
        metadata: debMetadata(text.toString('utf8'), licences, place.in('control')),
        entries,
        scripts: scriptsOf(controlFiles),
        alternatives: alternatives(controlFiles),
        conffiles: conffilesOf(controlFiles, entries, place.in('conffiles')),
      };
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw place.name(error);
  }
};

/** Format 2.x: `debian-binary`, the control archive, the data archive, then anything (deb(5)). */
function debParts(fd: number, members: readonly ArMember[], place: Place): { control: ArMember; data: ArMember } {
  const [first, ...rest] = members;
  if (first?.name !== 'debian-binary') throw place.bad('its first member is not debian-binary', { offset: 8 });
  const format = readAt(fd, first.start, Math.min(first.size, 64)).toString('latin1').split('\n', 1)[0] ?? '';
  if (!/^[0-9]{1,3}\.[0-9]{1,3}$/.test(format)) throw place.bad('debian-binary holds no version of the format', { offset: first.start });
  if (!format.startsWith('2.')) throw place.unsupported(`version ${format} of the format; only 2.x is read`, { offset: first.start });
  // Members whose names start with _ may stand between.
  const [control, data, ...others] = rest.filter((member) => !member.name.startsWith('_'));
  if (control === undefined || !control.name.startsWith('control.tar')) throw place.bad(missing('control.tar', control), { offset: control?.start });
  if (data === undefined || !data.name.startsWith('data.tar')) throw place.bad(missing('data.tar', data), { offset: data?.start });
  const again = others.find((member) => /^(control|data)\.tar/.test(member.name));
  if (again !== undefined) throw place.bad(`a second member ${again.name}`, { offset: again.start });
  return { control, data };
}

function missing(what: string, instead: ArMember | undefined): string {
  return `the member ${what} is missing${instead === undefined ? '' : `; ${JSON.stringify(instead.name)} stands in its place`}`;
}

interface OpenTar {
  tar: TarReader;
  reader: ByteReader;
}

function openTar(fd: number, member: ArMember, place: Place, limits: ImportLimits, signal: AbortSignal | undefined): OpenTar {
  const inside = place.in(member.name);
  const compression = COMPRESSIONS[member.name.replace(/^(control|data)\.tar/, '')];
  if (compression === undefined) throw place.unsupported(`the compression of ${member.name}`, {}, 'Repack it with xz, zstd or gzip.');
  const stored = fileRange(fd, member.start, member.start + member.size, inside, signal);
  const reader = new ByteReader(decompress(stored, { compression, size: member.size }, inside), inside);
  return { tar: new TarReader(reader, inside, limits), reader };
}

/** The files of the control archive that moss looks into, by name. */
async function readControl({ tar, reader }: OpenTar, place: Place): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  try {
    for (let member = await tar.next(); member !== undefined; member = await tar.next()) {
      if (member.kind === 'directory') continue;
      const name = insidePath(member.name);
      const spot = { offset: member.offset, path: member.name };
      if (member.kind !== 'file') throw place.bad(`a ${member.kind} among the control files`, spot);
      if (name !== 'control' && name !== 'conffiles' && !SCRIPTS.includes(name)) continue;
      if (files.has(name)) throw place.bad('it comes twice', spot);
      if (member.size > MAX_CONTROL_FILE) throw place.bad(`${member.size} bytes; the limit is ${MAX_CONTROL_FILE}`, spot);
      files.set(name, Buffer.from(await tar.read()));
    }
  } finally {
    await reader.close();
  }
  return files;
}

async function readData(
  { tar, reader }: OpenTar,
  place: Place,
  spool: Spool,
  signal: AbortSignal | undefined,
): Promise<{ entries: Entry[]; licences: string[] }> {
  const tree = new Tree(place);
  const licences = new Set<string>();
  try {
    for (let member = await tar.next(); member !== undefined; member = await tar.next()) {
      signal?.throwIfAborted();
      const spot = { offset: member.offset, path: member.name };
      const path = tree.path(member.name);
      if (member.kind === 'file' && path !== undefined && isCopyrightPath(path) && member.size <= MAX_COPYRIGHT) {
        const bytes = await tar.read();
        for (const licence of licencesOf(bytes, place)) licences.add(licence);
        tree.add(member.name, { type: 'file', ...common(member), ...(await spool.add([bytes], member.size)) });
        continue;
      }
      try {
        tree.add(member.name, await contentOf(member, tar, tree, spool, place));
      } catch (error) {
        throw place.name(error, spot);
      }
    }
  } finally {
    await reader.close();
  }
  return { entries: tree.finish(), licences: [...licences].slice(0, 32) };
}

function common(member: TarMember): Pick<Content, 'owner'> & { mode: number } {
  const owner = ownerOf(member.uid, member.gid, member.user, member.group);
  return { mode: member.mode & 0o7777, ...(owner === undefined ? {} : { owner }) };
}

async function contentOf(member: TarMember, tar: TarReader, tree: Tree, spool: Spool, place: Place): Promise<Content> {
  const { mode, ...owner } = common(member);
  switch (member.kind) {
    case 'directory':
      return { type: 'directory', mode, ...owner };
    case 'symlink':
      return { type: 'symlink', target: member.linkName, ...owner };
    case 'hardlink': {
      // The same inode, so its mode and owner too.
      const file = tree.fileAt(member.linkName);
      if (file === undefined) {
        throw place.badPath(`it is a hard link to ${JSON.stringify(member.linkName.slice(0, 200))}, which is no file before it`, member.name);
      }
      const { path: _, ...content } = file;
      return content;
    }
    case 'file': {
      // Small files at once: then the spool has nothing to wait for.
      const chunks = member.size <= LEAF_SIZE ? [await tar.read()] : tar.chunks();
      return { type: 'file', mode, ...owner, ...(await spool.add(chunks, member.size)) };
    }
  }
}

function scriptsOf(files: ReadonlyMap<string, Buffer>): MaintainerScript[] {
  return SCRIPTS.flatMap((name) => {
    const bytes = files.get(name);
    return bytes === undefined ? [] : [{ name, size: bytes.length, sha256: hash('sha256', bytes, 'hex') }];
  });
}

function alternatives(files: ReadonlyMap<string, Buffer>): Alternative[] {
  const script = files.get('postinst');
  // A script may be a program.
  if (script === undefined || script.includes(0)) return [];
  return alternativesOf(script.toString('utf8'));
}

/** Those outside of `etc/`, which is the user's anyway (deb-conffiles(5)). */
function conffilesOf(files: ReadonlyMap<string, Buffer>, entries: readonly Entry[], place: Place): PackagePath[] {
  const text = files.get('conffiles')?.toString('utf8') ?? '';
  const known = new Set(entries.filter((entry) => entry.type === 'file').map((entry) => entry.path));
  const conffiles = new Set<PackagePath>();
  for (const line of text.split('\n').map((each) => each.trim())) {
    // Lines with a flag before the path tell dpkg what to remove.
    if (line === '' || !line.startsWith('/')) continue;
    let path: PackagePath | undefined;
    try {
      path = parsePath(line);
    } catch (error) {
      throw place.name(error);
    }
    if (path !== undefined && known.has(path) && !path.startsWith('etc/')) conffiles.add(path);
  }
  return [...conffiles];
}
