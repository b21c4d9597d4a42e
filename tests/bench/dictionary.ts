/** What a dictionary is worth where files travel one by one: beside the whole package in one zstd frame. */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { kindOf } from '../../core/dag/frame.ts';
import { RUN_BYTES, RUN_ITEMS } from '../../core/exchange/served-runs.ts';
import { encodeRun, type RunEntry } from '../../core/exchange/wire/run.ts';
import { composeDictionary } from '../../node/publish/dictionary.ts';
import { nodeCompressor } from '../../node/zstd.ts';
import type { FileEntry } from '../../core/dag/entry.ts';
import { componentOf } from '../../core/dag/component.ts';
import { fileIdFromDigest } from '../../core/dag/file-id.ts';
import type { PackagePath } from '../../core/dag/path.ts';
import { nodeHasher } from '../../node/hasher.ts';
import { debianPairs } from './pairs.ts';
import { has, run } from './programs.ts';
import { median, type Figure } from './report.ts';
import type { Bench } from './run.ts';

const PACKAGES = 64;
const LEVELS = [1, 3, 6, 19];
/** Bytes of a trained dictionary (the default of `zstd --train`), and of a composed one. */
const TRAINED = 112_640;
const COMPOSED = 256 * 1024;
/** Bytes of a file, below which it is not worth a place in a dictionary. */
const LEAST_RUN = 512;
/** Larger files are asked for by leaf, and gain nothing: they are left out on both sides. */
const LARGEST = 1024 * 1024;
/** Files of a package that are looked at: with more, every second or third, so that none takes hours at level 19. */
const MOST_FILES = 150;

const KINDS = ['none', 'none, in runs', 'as published', 'largest of each kind', 'each kind by its share', 'trained'] as const;
type Kind = (typeof KINDS)[number];

/** Bytes of all packages, by dictionary and level: `<kind> <level>`. */
type Sums = Map<string, number>;

export const bench: Bench = async ({ cache, note }) => {
  const { pairs } = await debianPairs(cache, 'security', PACKAGES);
  const sums: Sums = new Map();
  const paying: Record<Kind, number> = { none: 0, 'none, in runs': 0, 'as published': 0, 'largest of each kind': 0, 'each kind by its share': 0, trained: 0 };
  const ratios = new Map<string, number[]>();
  for (const { name, next } of pairs) {
    const files = await filesOf(next);
    const solid = pack(Buffer.concat(files.map(({ content }) => content)), 19);
    const dictionaries = await dictionariesOf(files);
    const best: Partial<Record<Kind, number>> = {};
    const costs = new Map<string, number>();
    for (const level of LEVELS) {
      for (const kind of KINDS) {
        const dictionary = dictionaries[kind];
        const alone = sums.get(`${name} ${level}`);
        // The dictionary travels too.
        const cost = kind === 'none, in runs' ? inRuns(files, level) : dictionary === undefined && alone !== undefined ? alone : (dictionary === undefined ? 0 : pack(dictionary, 19)) + files.reduce((sum, { content }) => sum + pack(content, level, dictionary), 0);
        if (kind === 'none') sums.set(`${name} ${level}`, cost);
        add(sums, `${kind} ${level}`, cost);
        costs.set(`${kind} ${level}`, cost);
        if (level === 3) best[kind] = cost;
      }
    }
    add(sums, 'solid', solid);
    for (const [key, cost] of costs) ratios.set(key, [...(ratios.get(key) ?? []), cost / solid]);
    for (const kind of KINDS) {
      const [without = 0, cost = 0] = [best.none, best[kind]];
      if (cost < without * 0.95) paying[kind]++;
      add(sums, `where it pays: ${kind}`, Math.min(cost, without));
    }
    note(`${name}: ${files.length} files, ÷ solid at level 3: ${KINDS.map((kind) => `${kind} ${((best[kind] ?? 0) / solid).toFixed(2)}`).join(', ')}`);
  }
  const solid = sums.get('solid') ?? 1;
  const figures: Figure[] = [{ what: 'packages', value: pairs.length, unit: 'count', goal: { least: 60 } }];
  for (const kind of KINDS) {
    if (kind === 'trained' && !has('zstd')) continue;
    for (const level of LEVELS) figures.push({ what: `file by file, level ${level}, dictionary: ${kind}; ÷ solid`, value: (sums.get(`${kind} ${level}`) ?? 0) / solid, unit: 'ratio' });
    for (const level of LEVELS) figures.push({ what: `the same, level ${level}, median package`, value: median(ratios.get(`${kind} ${level}`) ?? []), unit: 'ratio' });
    figures.push({ what: `the same, level 3, only where it pays (${paying[kind]} packages)`, value: (sums.get(`where it pays: ${kind}`) ?? 0) / solid, unit: 'ratio', goal: { most: 1.2 } });
  }
  return figures;
};

interface Content {
  path: string;
  content: Uint8Array;
}

/** The files of a package as they travel: documents unpacked; sorted as they would be in an archive. */
async function filesOf(deb: string): Promise<Content[]> {
  const work = mkdtempSync(join(tmpdir(), 'moss-bench-'));
  try {
    await run('dpkg-deb', ['-x', deb, work]);
    const all = readdirSync(work, { recursive: true, encoding: 'utf8' }).toSorted().filter((path) => lstatSync(join(work, path)).isFile() && lstatSync(join(work, path)).size <= LARGEST);
    const every = Math.ceil(all.length / MOST_FILES);
    return all
      .filter((_, i) => i % every === 0)
      .map((path) => ({ path, content: unpacked(path, readFileSync(join(work, path))) }))
      .filter(({ content }) => content.length > 0)
      .toSorted((a, b) => (`${kindOf(a.path)} ${a.path}` < `${kindOf(b.path)} ${b.path}` ? -1 : 1));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function unpacked(path: string, bytes: Uint8Array): Uint8Array {
  if (!path.endsWith('.gz') || bytes.length > LARGEST) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: LARGEST });
  } catch {
    return bytes;
  }
}

async function dictionariesOf(files: readonly Content[]): Promise<Partial<Record<Kind, Uint8Array | undefined>>> {
  return { 'as published': published(files), 'largest of each kind': largest(files), 'each kind by its share': shared(files), trained: await trained(files) };
}

/** What `moss publish` puts into the manifest. */
function published(files: readonly Content[]): Uint8Array | undefined {
  const contents = new Map<string, Uint8Array>();
  const rows = files.map(({ path, content }): FileEntry => {
    const id = fileIdFromDigest(nodeHasher.sha256(content), content.length);
    contents.set(id, content);
    return { type: 'file', path: path as PackagePath, mode: 0o644, id, size: content.length };
  });
  return composeDictionary([...Map.groupBy(rows, ({ path }) => componentOf(path, 'deb'))], ({ id }) => contents.get(id) ?? new Uint8Array());
}

/** The largest file of each kind, up to a bound: needs no training. */
function largest(files: readonly Content[]): Uint8Array | undefined {
  const chosen: Uint8Array[] = [];
  let size = 0;
  for (const same of Map.groupBy(files.filter(({ content }) => content.length <= LARGEST), ({ path }) => kindOf(path)).values()) {
    if (same.length < 4) continue;
    const [first] = same.toSorted((a, b) => b.content.length - a.content.length);
    const content = first?.content.subarray(0, COMPOSED / 4);
    if (content === undefined || size + content.length > COMPOSED) continue;
    chosen.push(content);
    size += content.length;
  }
  return chosen.length === 0 ? undefined : Buffer.concat(chosen);
}

/** Of each kind what its share of the package's bytes allows, the largest files first, and no more than half of the kind. */
function shared(files: readonly Content[]): Uint8Array | undefined {
  const sizeOf = (some: readonly Content[]): number => some.reduce((sum, { content }) => sum + content.length, 0);
  const kinds = [...Map.groupBy(files, ({ path }) => kindOf(path)).values()].filter((same) => same.length >= 2);
  const all = kinds.reduce((sum, same) => sum + sizeOf(same), 0);
  const chosen: Uint8Array[] = [];
  for (const same of kinds) {
    let room = Math.floor(Math.min(sizeOf(same) / 2, (COMPOSED * sizeOf(same)) / all));
    for (const { content } of same.toSorted((a, b) => b.content.length - a.content.length)) {
      if (room <= LEAST_RUN) break;
      const start = content.subarray(0, Math.min(room, COMPOSED / 4));
      chosen.push(start);
      room -= start.length;
    }
  }
  return chosen.length === 0 ? undefined : Buffer.concat(chosen);
}

/** Trained by the `zstd` program; `undefined` where it finds too little to train on. */
async function trained(files: readonly Content[]): Promise<Uint8Array | undefined> {
  const samples = files.filter(({ content }) => content.length <= 128 * 1024);
  if (!has('zstd') || samples.length < 30) return undefined;
  const work = mkdtempSync(join(tmpdir(), 'moss-bench-'));
  try {
    mkdirSync(join(work, 'samples'));
    for (const [i, { content }] of samples.entries()) writeFileSync(join(work, 'samples', String(i)), content);
    const most = Math.min(TRAINED, Math.floor(samples.reduce((sum, { content }) => sum + content.length, 0) / 10));
    await run('zstd', ['-q', '--train', '-r', join(work, 'samples'), `--maxdict=${Math.max(1024, most)}`, '-o', join(work, 'dictionary')]);
    return readFileSync(join(work, 'dictionary'));
  } catch {
    return undefined;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function pack(bytes: Uint8Array, level: number, dictionary?: Uint8Array): number {
  // Nobody sends more than the content itself.
  return Math.min(bytes.length, nodeCompressor.compress(bytes, { level, dictionary }).length);
}

/** As a peer of the swarm answers who asks for many small files: several as one (`core/exchange`). */
function inRuns(files: readonly Content[], level: number): number {
  let bytes = 0;
  let together: RunEntry[] = [];
  let size = 0;
  const flush = (): void => {
    const [only] = together;
    if (only !== undefined) bytes += together.length > 1 ? pack(encodeRun(together), level) : pack(only.bytes, level);
    together = [];
    size = 0;
  };
  for (const [number, { content }] of files.entries()) {
    if (size + content.length > RUN_BYTES || together.length === RUN_ITEMS) flush();
    together.push({ number, bytes: content });
    size += content.length;
  }
  flush();
  return bytes;
}

function add(sums: Sums, key: string, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}
