/**
 * The manifest: one dag-cbor block for each version of a package. It says what the package is, and links the frames
 * and file tables of its components, so that whoever pins it holds the whole package.
 */
import { MossError } from '../error.ts';
import { MAX_BLOCK_SIZE } from './block.ts';
import { asCid, checkCid, type Cid } from './cid.ts';
import { decodeCbor } from './codec.ts';
import { Fields } from './fields.ts';
import { LEAF_SIZE } from './file-id.ts';
import { MAX_FRAME_CONTENT } from './frame.ts';
import { PACKAGE_FORMATS, type Alternative, type MaintainerScript, type PackageMetadata } from './package.ts';
import { parsePath, type PackagePath } from './path.ts';

/** The version of the data model: a reader refuses what is newer. */
export const MANIFEST_VERSION = 1;

/** A raw block with one zstd frame. */
export interface FrameRef {
  cid: Cid;
  /** Bytes of the block. */
  size: number;
  /** Bytes of what it holds. */
  plain: number;
}

export interface Part {
  /** The compressed table: small ones stand in the manifest itself, which saves a request. */
  table: Uint8Array | Cid;
  /** Bytes of the table as it travels, and before compression. */
  tableSize: number;
  tablePlain: number;
  rows: number;
  frames: FrameRef[];
  /** Of the files with recipes, as they are: who fetches these does not need what `frames` says of them. */
  verbatim: FrameRef[];
}

export interface Component {
  /** `main`, `dev`, `doc`, `man`, `locale/<tag>`, `debug`, or the publisher's own. */
  name: string;
  files: number;
  /** Bytes installed. */
  size: number;
  parts: Part[];
}

export interface Manifest {
  metadata: PackageMetadata;
  policy: { announce: boolean };
  scripts: MaintainerScript[];
  alternatives: Alternative[];
  conffiles: PackagePath[];
  components: Component[];
  /** Content that frames of this package are compressed against; `undefined` where none pays. */
  dictionary: Dictionary | undefined;
}

/** Content that several components share, such as the untranslated texts of all translations. */
export interface Dictionary {
  /** SHA-256 of the content, of at most one leaf. */
  sha256: Uint8Array;
  frame: FrameRef;
}

/** The dag-cbor value of a manifest: empty fields are left out. */
export function manifestValue(manifest: Manifest): Record<string, unknown> {
  const { metadata } = manifest;
  return compact({
    moss: MANIFEST_VERSION,
    ...metadata,
    policy: manifest.policy,
    scripts: manifest.scripts,
    alternatives: manifest.alternatives,
    conffiles: manifest.conffiles,
    components: manifest.components.map((component) => ({ ...component, parts: component.parts.map((part) => compact({ ...part })) })),
    dictionary: manifest.dictionary,
  });
}

function compact(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => !isEmpty(field)));
}

function isEmpty(field: unknown): boolean {
  return field === undefined || field === '' || field === 0 || field === false || (Array.isArray(field) && field.length === 0);
}

/**
 * Reads a manifest block, whose hash has been checked.
 *
 * @throws MossError `bad-manifest`, `bad-path`, `bad-cid`, `unsupported`
 */
export function decodeManifest(bytes: Uint8Array): Manifest {
  return readManifest(decodeCbor(bytes, 'bad-manifest', 'a manifest'));
}

/**
 * Reads the value of a manifest block.
 *
 * @throws MossError `bad-manifest`, `bad-path`, `bad-cid`, `unsupported`
 */
export function readManifest(value: unknown): Manifest {
  const fields = new Fields(value, 'bad-manifest', 'manifest');
  const version = fields.int('moss', 1);
  if (version > MANIFEST_VERSION) {
    throw new MossError('unsupported', `a manifest of version ${version}`, { hint: 'Update moss.' });
  }
  const metadata = decodeMetadata(fields);
  return {
    metadata,
    policy: { announce: fields.has('policy') ? fields.map('policy').flag('announce') : true },
    scripts: optionalMaps(fields, 'scripts').map((script) => ({
      name: script.text('name', 64),
      size: script.int('size'),
      sha256: script.text('sha256', 64),
    })),
    alternatives: optionalMaps(fields, 'alternatives').map(decodeAlternative),
    conffiles: optionalTexts(fields, 'conffiles').map(requirePath),
    components: decodeComponents(fields),
    dictionary: fields.has('dictionary') ? decodeDictionary(fields.map('dictionary')) : undefined,
  };
}

/** The package's own words, from the fields of a manifest. */
function decodeMetadata(fields: Fields): PackageMetadata {
  const text = (name: string): string => (fields.has(name) ? fields.text(name) : '');
  const texts = (name: string): string[] => optionalTexts(fields, name);
  const multiArch = text('multiArch');
  return {
    name: requireName(fields.text('name', 256)),
    version: fields.text('version', 256),
    release: fields.has('release') ? fields.int('release') : 0,
    architecture: fields.text('architecture', 64),
    format: fields.oneOf('format', PACKAGE_FORMATS),
    summary: text('summary'),
    description: text('description'),
    homepage: text('homepage'),
    licences: texts('licences'),
    depends: texts('depends'),
    recommends: texts('recommends'),
    suggests: texts('suggests'),
    provides: texts('provides'),
    conflicts: texts('conflicts'),
    breaks: texts('breaks'),
    replaces: texts('replaces'),
    essential: fields.has('essential') && fields.flag('essential'),
    multiArch: multiArch === 'same' || multiArch === 'foreign' || multiArch === 'allowed' ? multiArch : '',
    source: text('source'),
  };
}

function decodeAlternative(fields: Fields): Alternative {
  return {
    link: requirePath(fields.text('link')),
    name: fields.text('name', 256),
    path: requirePath(fields.text('path')),
    priority: fields.int('priority', -(2 ** 31), 2 ** 31),
    slaves: optionalMaps(fields, 'slaves').map((slave) => ({
      link: requirePath(slave.text('link')),
      name: slave.text('name', 256),
      path: requirePath(slave.text('path')),
    })),
  };
}

function decodeComponents(fields: Fields): Component[] {
  const names = new Set<string>();
  return optionalMaps(fields, 'components').map((component) => {
    const name = component.text('name', 64);
    if (names.has(name) || !/^[a-z][\w/@.+-]*$/i.test(name)) throw component.wrong('name', 'a new and plain name');
    names.add(name);
    return { name, files: component.int('files'), size: component.int('size'), parts: component.maps('parts').map(decodePart) };
  });
}

function decodeDictionary(fields: Fields): Dictionary {
  const sha256 = fields.bytes('sha256', 32);
  const frame = decodeFrameRef(fields.map('frame'));
  if (sha256.length !== 32 || frame.plain > LEAF_SIZE) throw fields.wrong('sha256', 'about one leaf');
  return { sha256, frame };
}

function decodePart(fields: Fields): Part {
  const linked = fields.link('table');
  return {
    table: linked ?? fields.bytes('table', MAX_BLOCK_SIZE),
    tableSize: fields.int('tableSize', 0, MAX_BLOCK_SIZE),
    tablePlain: fields.int('tablePlain'),
    rows: fields.int('rows'),
    frames: optionalMaps(fields, 'frames').map(decodeFrameRef),
    verbatim: optionalMaps(fields, 'verbatim').map(decodeFrameRef),
  };
}

/** @throws MossError with the code of `fields` */
export function decodeFrameRef(fields: Fields): FrameRef {
  return {
    cid: fields.cid('cid'),
    size: fields.int('size', 1, MAX_BLOCK_SIZE),
    plain: fields.int('plain', 0, MAX_FRAME_CONTENT),
  };
}

function optionalMaps(fields: Fields, name: string): Fields[] {
  return fields.has(name) ? fields.maps(name) : [];
}

function optionalTexts(fields: Fields, name: string): string[] {
  return fields.has(name) ? fields.texts(name) : [];
}

/** Names end up in paths, on command lines and in messages. */
function requireName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9+._@-]*$/.test(name)) return name;
  throw new MossError('bad-manifest', `${JSON.stringify(name)} is no package name`);
}

function requirePath(text: string): PackagePath {
  const path = parsePath(text);
  if (path === undefined) throw new MossError('bad-path', 'an empty path');
  return path;
}

/** Every block that a manifest links to, in the order in which they stand in it. */
export function manifestLinks(manifest: Manifest): Cid[] {
  const links = manifest.components.flatMap((component) =>
    component.parts.flatMap((part) => [...linkOf(part.table), ...[...part.frames, ...part.verbatim].map((frame) => frame.cid)]),
  );
  return manifest.dictionary === undefined ? links : [...links, manifest.dictionary.frame.cid];
}

function linkOf(table: Uint8Array | Cid): Cid[] {
  const cid = asCid(table);
  if (cid === undefined) return [];
  checkCid(cid);
  return [cid];
}
