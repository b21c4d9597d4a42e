/** The packages that the demo publishes: Debian's where there is apt, else those under `node_modules`. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Apt, closureOf, type Offer } from './apt.ts';

export interface Packages {
  kind: 'apt' | 'node_modules';
  /** What a person would ask for; the others are needed by these. */
  wanted: string[];
  /** Files or directories of the first revision, and those that a later one adds. */
  first: string[];
  later: string[];
  /** Names of the packages that `later` brings a newer version of. */
  updated: string[];
  /** Whether nothing had to be fetched. */
  cached: boolean;
}

const WANTED = ['bash', 'dash', 'coreutils', 'git', 'jq', 'ripgrep', 'python3'];
/** Bytes of older versions that are worth a download for the update. */
const MAX_OLDER = 16_000_000;
/** Bytes of a directory; the few beyond that are programs such as Node itself, which take minutes to pack. */
const MAX_DIRECTORY = 20_000_000;

/** `project` is the checkout, and `cache` is kept between runs. */
export async function findPackages({ project, cache, note }: { project: string; cache: string; note: (text: string) => void }): Promise<Packages> {
  const kept = readKept(cache);
  if (kept !== undefined) return { ...kept, cached: true };
  if (process.platform === 'linux' && (await Apt.isHere())) {
    try {
      const packages = await fromApt(cache, note);
      writeFileSync(join(cache, 'packages.json'), `${JSON.stringify(packages, undefined, 2)}\n`);
      return packages;
    } catch (error) {
      note(`apt cannot bring packages (${error instanceof Error ? error.message : String(error)}), so those under node_modules it is`);
    }
  }
  return fromNodeModules(project);
}

/** What an earlier run has fetched, if all of it is still there. */
function readKept(cache: string): Packages | undefined {
  const file = join(cache, 'packages.json');
  if (!existsSync(file)) return undefined;
  const kept: Packages = JSON.parse(readFileSync(file, 'utf8'));
  return [...kept.first, ...kept.later].every((each) => existsSync(each)) ? kept : undefined;
}

async function fromApt(cache: string, note: (text: string) => void): Promise<Packages> {
  mkdirSync(cache, { recursive: true });
  const apt = new Apt(join(cache, 'apt'));
  const attempt = async (): Promise<Packages> => {
    const closure = await closureOf(apt, WANTED);
    const older = olderVersions(closure);
    const [newest, replaced] = [[...closure.values()].flatMap(([offer]) => (offer === undefined ? [] : [offer])), new Set(older.map(({ name }) => name))];
    note(`downloading ${newest.length + older.length} files, ${Math.round([...newest, ...older].reduce((sum, { size }) => sum + size, 0) / 1e6)} MB`);
    const debs = join(cache, 'debs');
    const first = await apt.download([...newest.filter(({ name }) => !replaced.has(name)), ...older], debs);
    const later = await apt.download(newest.filter(({ name }) => replaced.has(name)), debs);
    return { kind: 'apt', wanted: WANTED, first, later, updated: [...replaced], cached: false };
  };
  try {
    return await attempt();
  } catch (error) {
    // The system's lists are empty, or older than what the servers still have.
    note(`${error instanceof Error ? error.message : String(error)}; trying with fresh lists`);
    await apt.updateLists();
    return attempt();
  }
}

/**
 * Older versions, for an update that is real: of what was asked for, with all that is built of the same source, as
 * such packages need each other in one version.
 */
function olderVersions(closure: ReadonlyMap<string, readonly Offer[]>): Offer[] {
  const older: Offer[] = [];
  const sources = new Set(WANTED.map((name) => closure.get(name)?.[0]?.source));
  for (const source of sources) {
    const members = [...closure.values()].filter(([newest]) => newest?.source === source);
    const [version] = members.flatMap(([, second]) => (second === undefined ? [] : [second.version]));
    const offers = members.flatMap((all) => all.filter((offer, rank) => rank > 0 && offer.version === version));
    const fits = offers.length === members.length && offers.every(({ needs }) => needs.every((group) => group.some((name) => isThere(closure, name))));
    if (fits && [...older, ...offers].reduce((sum, { size }) => sum + size, 0) <= MAX_OLDER) older.push(...offers);
  }
  return older;
}

function isThere(closure: ReadonlyMap<string, readonly Offer[]>, name: string): boolean {
  return closure.has(name) || [...closure.values()].some(([newest]) => newest?.provides.includes(name) === true);
}

/** Directories with a `package.json`, some of them in `@scope` directories. */
function fromNodeModules(project: string): Packages {
  const top = join(project, 'node_modules');
  const names = readdirSync(top).flatMap((name) => (name.startsWith('@') ? readdirSync(join(top, name)).map((each) => `${name}/${each}`) : [name]));
  const directories = names.map((name) => join(top, name)).filter((each) => lstatSync(each).isDirectory() && existsSync(join(each, 'package.json')));
  const first = directories.filter((each) => measure(each).bytes <= MAX_DIRECTORY);
  const wanted = ['mrmime', 'smol-toml', 'multiformats', 'fast-check'].filter((name) => first.includes(join(top, name)));
  return { kind: 'node_modules', wanted, first, later: [], updated: [], cached: true };
}

/** Bytes and number of files of a file or directory. */
export function measure(path: string): { bytes: number; files: number } {
  const stat = statSync(path);
  if (!stat.isDirectory()) return { bytes: stat.size, files: 1 };
  let [bytes, files] = [0, 0];
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    files++;
    bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return { bytes, files };
}
