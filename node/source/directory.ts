/** Importer for a plain directory, described by a `moss.toml`, a `package.json`, or the caller. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync, readlinkSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { componentOf } from '../../core/dag/component.ts';
import { LEAF_SIZE } from '../../core/dag/file-id.ts';
import type { PackageMetadata } from '../../core/dag/package.ts';
import { parsePath } from '../../core/dag/path.ts';
import type { AbortSignal } from '../../core/ports/abort.ts';
import { checkedMetadata } from './check-metadata.ts';
import { fileRange, readAt } from './file-range.ts';
import { DEFAULT_LIMITS, type ImportedPackage, type ImportLimits, type ImportOptions, type Spool } from './imported.ts';
import { MOSS_TOML, parseMossToml, type Described } from './moss-toml.ts';
import { PACKAGE_JSON, parsePackageJson } from './package-json.ts';
import { Place, systemCode } from './place.ts';
import { Tree, type Content } from './tree.ts';

/** What the caller knows better than the directory. */
export interface DirectoryWords {
  name?: string | undefined;
  version?: string | undefined;
  architecture?: string | undefined;
  /** Where the tree goes in the system, such as `usr/share/foo`; `''` when it holds `usr` itself. */
  prefix?: string | undefined;
}

/** Bytes; more is no description. */
const MAX_DESCRIPTION_FILE = 2 ** 20;
/** A directory that holds one of these stands for the root of a system (FHS 3.0, section 3). */
const ROOT_NAMES = new Set(['usr', 'etc', 'opt', 'srv', 'var', 'bin', 'sbin', 'lib', 'lib64']);
/** Never a part of what is published. */
const EXCLUDED = new Set(['.git']);

/**
 * @throws MossError `bad-package` for special files and for a description that is missing or wrong, `bad-path`, `io`
 */
export async function importDirectory(directory: string, options: ImportOptions, words: DirectoryWords = {}): Promise<ImportedPackage> {
  const place = new Place(directory);
  try {
    const described = { ...describe(directory, place), ...defined(words) };
    const metadata = metadataOf(described, place);
    const prefix = prefixOf(described, directory, metadata.name, place);
    const walk = new Walk(directory, prefix, place, options);
    await walk.run();
    return {
      metadata,
      entries: walk.tree.finish(),
      scripts: [],
      alternatives: [],
      conffiles: [],
      announce: described.announce ?? true,
      componentOf: (path) => described.componentOf?.(path.slice(prefix === '' ? 0 : prefix.length + 1)) ?? componentOf(path, 'directory'),
    };
  } catch (error) {
    throw place.name(error);
  }
}

function describe(directory: string, place: Place): Described {
  const toml = readDescription(join(directory, MOSS_TOML), place.in(MOSS_TOML));
  if (toml !== undefined) return parseMossToml(toml, place.in(MOSS_TOML));
  const json = readDescription(join(directory, PACKAGE_JSON), place.in(PACKAGE_JSON));
  return json === undefined ? {} : parsePackageJson(json);
}

function readDescription(file: string, place: Place): string | undefined {
  try {
    const stat = statSync(file);
    if (!stat.isFile() || stat.size > MAX_DESCRIPTION_FILE) throw place.bad(`it is no file of at most ${MAX_DESCRIPTION_FILE} bytes`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw place.name(error);
  }
}

function metadataOf(described: Described, place: Place): PackageMetadata {
  const { name, version } = described;
  if (name === undefined || version === undefined) {
    throw place.bad(`it does not say its ${name === undefined ? 'name' : 'version'}: give it in a ${MOSS_TOML} or with an option`);
  }
  return checkedMetadata(
    {
      name,
      version,
      release: 0,
      architecture: described.architecture ?? 'all',
      format: 'directory',
      summary: described.summary ?? '',
      description: described.description ?? '',
      homepage: described.homepage ?? '',
      licences: described.licences ?? [],
      depends: described.depends ?? [],
      recommends: described.recommends ?? [],
      suggests: described.suggests ?? [],
      provides: described.provides ?? [],
      conflicts: described.conflicts ?? [],
      breaks: described.breaks ?? [],
      replaces: described.replaces ?? [],
      essential: described.essential ?? false,
      multiArch: '',
      source: described.source ?? name,
    },
    place,
  );
}

/** The words that are there. */
function defined({ name, version, architecture, prefix }: DirectoryWords): Described {
  return {
    ...(name === undefined ? {} : { name }),
    ...(version === undefined ? {} : { version }),
    ...(architecture === undefined ? {} : { architecture }),
    ...(prefix === undefined ? {} : { prefix }),
  };
}

/** Where the tree goes, in normal form: `''` for the root. */
function prefixOf(described: Described, directory: string, name: string, place: Place): string {
  const isRoot = () => readdirSync(directory).some((top) => ROOT_NAMES.has(top));
  try {
    return parsePath(described.prefix ?? (isRoot() ? '' : `usr/share/${name}`)) ?? '';
  } catch (error) {
    throw place.name(error);
  }
}

class Walk {
  readonly tree: Tree;
  readonly #directory: string;
  readonly #prefix: string;
  readonly #place: Place;
  readonly #spool: Spool;
  readonly #limits: ImportLimits;
  readonly #signal: AbortSignal | undefined;
  #entries = 0;
  #bytes = 0;

  constructor(directory: string, prefix: string, place: Place, { spool, limits = DEFAULT_LIMITS, signal }: ImportOptions) {
    this.tree = new Tree(place);
    this.#directory = directory;
    this.#prefix = prefix;
    this.#place = place;
    this.#spool = spool;
    this.#limits = limits;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    this.#addPrefix();
    for (const pending = ['']; pending.length > 0; ) {
      const inside = pending.pop() ?? '';
      this.#signal?.throwIfAborted();
      for (const name of this.#list(inside)) {
        if (EXCLUDED.has(name) || (inside === '' && name === MOSS_TOML)) continue;
        const path = inside === '' ? name : `${inside}/${name}`;
        if (await this.#add(path)) pending.push(path);
      }
    }
  }

  /** Parents of the tree, so that they are the package's too. */
  #addPrefix(): void {
    const names = this.#prefix === '' ? [] : this.#prefix.split('/');
    for (let count = 1; count <= names.length; count++) this.tree.add(names.slice(0, count).join('/'), { type: 'directory', mode: 0o755 });
  }

  #list(inside: string): string[] {
    return this.#reading(inside, () => readdirSync(join(this.#directory, inside))).toSorted();
  }

  /** @returns whether it is a directory */
  async #add(inside: string): Promise<boolean> {
    const target = this.#prefix === '' ? inside : `${this.#prefix}/${inside}`;
    // Checked before it is opened: a name that is not UTF-8 would open nothing.
    this.tree.path(target);
    if (++this.#entries > this.#limits.entries) throw this.#place.bad(`more than ${this.#limits.entries} entries`, { path: inside });
    const file = join(this.#directory, inside);
    const stat = this.#reading(inside, () => lstatSync(file));
    this.tree.add(target, await this.#content(inside, file, stat));
    return stat.isDirectory();
  }

  async #content(inside: string, file: string, stat: Stats): Promise<Content> {
    if (stat.isDirectory()) return { type: 'directory', mode: 0o755 };
    if (stat.isSymbolicLink()) return { type: 'symlink', target: this.#reading(inside, () => readlinkSync(file)) };
    if (!stat.isFile()) throw this.#place.bad(`it is ${kindOf(stat)}, which no package may bring`, { path: inside });
    // It may have become something else since: a link is not followed, and a pipe not waited for.
    const fd = this.#reading(inside, () => openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK));
    try {
      const { size, mode } = fstatSync(fd);
      this.#bytes += size;
      if (this.#bytes > this.#limits.bytes) throw this.#place.bad(`more than ${this.#limits.bytes} bytes`, { path: inside });
      const chunks = size <= LEAF_SIZE ? [readAt(fd, 0, size)] : fileRange(fd, 0, size, this.#place.in(inside), this.#signal);
      // Whatever the umask of whoever checked it out: only whether it can be run is a property of the file.
      return { type: 'file', mode: (mode & 0o111) === 0 ? 0o644 : 0o755, ...(await this.#spool.add(chunks, size)) };
    } catch (error) {
      throw this.#place.name(error, { path: inside });
    } finally {
      closeSync(fd);
    }
  }

  #reading<T>(inside: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#place.name(error, { path: inside });
    }
  }
}

function kindOf(stat: Stats): string {
  if (stat.isFIFO()) return 'a fifo (pipe)';
  if (stat.isSocket()) return 'a socket';
  return stat.isBlockDevice() ? 'a block device' : `a character device`;
}

