/** Pairs of real packages: as Debian released them, and as they are now, by a security update or in the next release. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { compareVersions } from '../../core/repo/version.ts';
import { installedByApt } from './corpus.ts';
import { capture, has, run, SkippedError } from './programs.ts';

export interface Pair {
  name: string;
  /** Paths of the `.deb` files. */
  old: string;
  next: string;
}

export interface Pairs {
  /** What the two are, in words. */
  title: string;
  pairs: Pair[];
}

/** Packages of the sample up to this many bytes: a browser among them would outweigh all others together. */
const LARGEST = 6_000_000;
/** Which release comes after which. */
const NEXT: Readonly<Record<string, string>> = { bullseye: 'bookworm', bookworm: 'trixie', trixie: 'forky' };
/** What Debian's installer offers as a desktop. */
const DESKTOP = ['task-desktop', 'task-gnome-desktop'];

/** A sample of security updates; all of those that a desktop machine gets; the packages of the sample in the next release. */
export const KINDS = ['security', 'desktop', 'release'] as const;
export type Kind = (typeof KINDS)[number];

/**
 * Pairs of Debian packages, downloaded. The first `count` are a fair sample of their kind.
 *
 * @throws SkippedError where apt has no Debian suite with security updates
 */
export async function debianPairs(cache: string, kind: Kind, count: number): Promise<Pairs> {
  for (const tool of ['apt-get', 'curl', 'xz', 'dpkg-deb', 'tar']) if (!has(tool)) throw new SkippedError(`${tool} is not on this machine`);
  mkdirSync(cache, { recursive: true });
  const { suite, site, securitySite } = await aptSources();
  const next = NEXT[suite] ?? '';
  const lists: Lists = { suite: await packagesOf(cache, site, suite), security: await packagesOf(cache, securitySite, `${suite}-security`) };
  const chosen = kind === 'desktop' ? await ofDesktop(cache, lists) : oneOfEachSource(lists, kind === 'security' ? lists.security : await packagesOf(cache, site, next));
  const [title, nextSite] = kind === 'release' ? [`${suite} to ${next}`, site] : [kind === 'security' ? `${suite} to its security updates` : `a ${suite} desktop to its security updates`, securitySite];
  const directory = join(cache, 'pairs');
  const some = chosen.slice(0, count);
  await download(some.flatMap(({ old, next: target }) => [`${site}/${old.file}`, `${nextSite}/${target.file}`]), directory);
  return { title, pairs: some.map(({ old, next: target }) => ({ name: old.name, old: join(directory, basename(old.file)), next: join(directory, basename(target.file)) })) };
}

/** Packages by name, as a suite was released and as its security updates have them. */
interface Lists {
  suite: ReadonlyMap<string, Listed>;
  security: ReadonlyMap<string, Listed>;
}

interface Chosen {
  old: Listed;
  next: Listed;
}

/**
 * One package of each source package that has a security update: the one with the source's name, else the largest. They
 * are ordered by the hash of their names.
 */
function oneOfEachSource({ suite, security }: Lists, nextList: ReadonlyMap<string, Listed>): Chosen[] {
  const chosen: Chosen[] = [];
  for (const [source, listed] of [...Map.groupBy(security.values(), (each) => each.source)].toSorted(([a], [b]) => (digest(a) < digest(b) ? -1 : 1))) {
    const updates = listed.flatMap((each) => {
      const old = suite.get(each.name);
      return old !== undefined && isNewer(each, old) && Math.max(each.size, old.size) <= LARGEST ? [{ old, each }] : [];
    });
    const [pick] = updates.toSorted((a, b) => Number(b.each.name === source) - Number(a.each.name === source) || b.each.size - a.each.size || (a.each.name < b.each.name ? -1 : 1));
    const target = pick && nextList.get(pick.old.name);
    if (pick === undefined || target === undefined || !isNewer(target, pick.old) || target.size > LARGEST) continue;
    chosen.push({ old: pick.old, next: target });
  }
  return chosen;
}

/** All packages of a machine with a desktop that have a security update: what it fetches if it never did before. */
async function ofDesktop(cache: string, { suite, security }: Lists): Promise<Chosen[]> {
  const names = await installedByApt(cache, DESKTOP, { recommends: true });
  return names.toSorted((a, b) => (digest(a) < digest(b) ? -1 : 1)).flatMap((name) => {
    const [old, next] = [suite.get(name), security.get(name)];
    return old !== undefined && next !== undefined && isNewer(next, old) ? [{ old, next }] : [];
  });
}

async function download(urls: readonly string[], directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const missing = urls.filter((url) => !existsSync(join(directory, basename(url))));
  if (missing.length === 0) return;
  process.stderr.write(`Downloading ${missing.length} packages ...\n`);
  const list = join(directory, 'curl.txt');
  writeFileSync(list, missing.map((url) => `url = "${url}"\noutput = "${join(directory, basename(url))}.part"\n`).join(''));
  await run('curl', ['-sS', '--fail', '-L', '-Z', '--parallel-max', '6', '-K', list]);
  for (const url of missing) renameSync(join(directory, `${basename(url)}.part`), join(directory, basename(url)));
}

interface Listed {
  name: string;
  version: string;
  source: string;
  /** Where it is, from the site. */
  file: string;
  size: number;
}

async function aptSources(): Promise<{ suite: string; site: string; securitySite: string }> {
  const out = await capture('apt-get', ['indextargets', '--format', '$(CODENAME) $(SITE)', 'Created-By: Packages']);
  const sites = new Map(out.trim().split('\n').map((line): [string, string] => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? '']));
  for (const [codename, securitySite] of sites) {
    const [, suite = ''] = /^([a-z]+)-security$/.exec(codename) ?? [];
    const site = sites.get(suite);
    if (site !== undefined) return { suite, site, securitySite };
  }
  throw new SkippedError('apt has no Debian suite with security updates');
}

/** The packages of a suite, by name: of this architecture or of all. */
async function packagesOf(cache: string, site: string, suite: string): Promise<Map<string, Listed>> {
  const path = join(cache, `Packages-${suite}`);
  if (!existsSync(path)) {
    await run('sh', ['-c', `curl -sS --fail -L ${site.replace(/\/$/, '')}/dists/${suite}/main/binary-amd64/Packages.xz | xz -dc > ${path}.part && test -s ${path}.part`]);
    renameSync(`${path}.part`, path);
  }
  const out = new Map<string, Listed>();
  for (const paragraph of readFileSync(path, 'utf8').split('\n\n')) {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
    const listed: Listed = { name: field('Package'), version: field('Version'), source: (field('Source') || field('Package')).replace(/ .*/, ''), file: field('Filename'), size: Number(field('Size')) };
    const known = out.get(listed.name);
    if (listed.name !== '' && (known === undefined || isNewer(listed, known))) out.set(listed.name, listed);
  }
  return out;
}

function isNewer(a: Listed, b: Listed): boolean {
  return compareVersions('deb', { version: a.version, release: 0 }, { version: b.version, release: 0 }) > 0;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The same package without what it says of others, so that it can be installed alone: the data is the same, byte for
 * byte.
 */
export async function withoutRelations(deb: string, directory: string): Promise<string> {
  const target = join(directory, basename(deb));
  if (existsSync(target)) return target;
  mkdirSync(directory, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'moss-bench-'));
  try {
    await run('dpkg-deb', ['-e', deb, join(work, 'control')]);
    const control = join(work, 'control', 'control');
    writeFileSync(control, readFileSync(control, 'utf8').replaceAll(/^(?:Depends|Pre-Depends|Recommends|Suggests|Enhances|Conflicts|Breaks|Replaces|Provides):.*\n(?:[ \t].*\n)*/gm, ''));
    await run('tar', ['-C', join(work, 'control'), '--owner=0', '--group=0', '-czf', join(work, 'control.tar.gz'), '.']);
    const bytes = readFileSync(deb);
    const members: Buffer[] = [Buffer.from('!<arch>\n')];
    for (let at = 8; at + 60 <= bytes.length; ) {
      const name = bytes.toString('latin1', at, at + 16).trim().replace(/\/$/, '');
      const size = Number(bytes.toString('latin1', at + 48, at + 58));
      const isControl = name.startsWith('control.tar');
      members.push(member(isControl ? 'control.tar.gz' : name, isControl ? readFileSync(join(work, 'control.tar.gz')) : bytes.subarray(at + 60, at + 60 + size)));
      at += 60 + size + (size % 2);
    }
    writeFileSync(`${target}.part`, Buffer.concat(members));
    renameSync(`${target}.part`, target);
    return target;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function member(name: string, bytes: Uint8Array): Buffer {
  const header = `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(bytes.length).padEnd(10)}\`\n`;
  return Buffer.concat([Buffer.from(header, 'latin1'), bytes, Buffer.alloc(bytes.length % 2, '\n')]);
}

export function sizeOf(paths: readonly string[]): number {
  return paths.reduce((sum, path) => sum + statSync(path).size, 0);
}
