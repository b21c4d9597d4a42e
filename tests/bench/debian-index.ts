/** Debian's own package lists, as apt keeps them, as entries of an index: what they say of packages is real. */
import { readFileSync } from 'node:fs';
import { decodeHex } from '../../core/trust/text.ts';
import { cidOf, DAG_CBOR } from '../../core/dag/cid.ts';
import { compareVersions } from '../../core/repo/version.ts';
import type { IndexEntry } from '../../core/repo/index-file.ts';
import { debMetadata } from '../../node/source/control.ts';
import { Place } from '../../node/source/place.ts';
import { capture, SkippedError } from './programs.ts';

export interface DebianIndex {
  /** The packages of the suite as it was released, or at its last point release. */
  base: Map<string, IndexEntry>;
  /** What came since: the updates of a source package together. Each of a later version than the base, or new. */
  updates: Map<string, IndexEntry[]>;
  /** Weeks between the two. */
  weeks: number;
}

/** @throws SkippedError where apt has no lists of a Debian suite and of its security updates */
export async function debianIndex(): Promise<DebianIndex> {
  const targets = await capture('apt-get', ['indextargets', '--format', '$(CODENAME) $(ARCHITECTURE) $(FILENAME)', 'Created-By: Packages']);
  const lists = targets.trim().split('\n').map((line) => line.split(' '));
  const [, suite] = lists.map(([codename]) => /^([a-z]+)-security$/.exec(codename ?? '')).find((match) => match !== null) ?? [];
  if (suite === undefined) throw new SkippedError("apt's lists have no Debian suite with security updates: run apt-get update");
  const file = (codename: string): string | undefined => lists.find((list) => list[0] === codename && list[1] === 'amd64')?.[2];
  const read = async (codename: string): Promise<Listed[]> => {
    const path = file(codename);
    return path === undefined ? [] : parse(await capture('/usr/lib/apt/apt-helper', ['cat-file', path]));
  };
  const base = new Map((await read(suite)).map(({ entry }) => [keyOf(entry), entry]));
  const newest = new Map<string, Listed>();
  for (const listed of [...(await read(`${suite}-updates`)), ...(await read(`${suite}-security`))]) {
    const key = keyOf(listed.entry);
    const known = newest.get(key)?.entry ?? base.get(key);
    if (known === undefined || compareVersions('deb', listed.entry, known) > 0) newest.set(key, listed);
  }
  const updates = new Map([...Map.groupBy(newest.values(), ({ source }) => source)].map(([source, some]) => [source, some.map(({ entry }) => entry)]));
  const since = releaseDate(file(`${suite}-security`)) - releaseDate(file(suite));
  return { base, updates, weeks: Math.max(1, Math.round(since / (7 * 86_400_000))) };
}

export function keyOf({ name, architecture }: IndexEntry): string {
  return `${name} ${architecture}`;
}

interface Listed {
  source: string;
  entry: IndexEntry;
}

/**
 * What only moss knows of a package has the entropy that it would have: the manifest's digest is the package's own, the
 * last ten bits of the installed size and the number of files come from it.
 */
function parse(text: string): Listed[] {
  const place = new Place("apt's list");
  return text.split('\n\n').filter((paragraph) => paragraph.trim() !== '').map((paragraph) => {
    const metadata = debMetadata(paragraph, [], place);
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? '';
    const digest = decodeHex(field('SHA256')) ?? new Uint8Array(32);
    const [a = 0, b = 0, c = 0] = digest;
    const { name, version, release, architecture, format, summary, homepage, depends, recommends, provides, conflicts, breaks, replaces, essential, multiArch } = metadata;
    return {
      source: metadata.source.replace(/ .*/, ''),
      entry: {
        name, version, release, architecture, format, summary, homepage, depends, recommends, provides, conflicts, breaks, replaces, essential, multiArch,
        manifest: cidOf(DAG_CBOR, digest).toString(),
        size: Number(field('Installed-Size')) * 1024 + ((a * 256 + b) % 1024),
        download: Number(field('Size')),
        files: 1 + c,
        announce: true,
      },
    };
  });
}

/** When a suite was signed last, by its list: milliseconds since the epoch. */
function releaseDate(list: string | undefined): number {
  const release = (list ?? '').replace(/_[a-z-]+_binary-[^/]*$/, '_InRelease');
  return Date.parse(/^Date: (.*)$/m.exec(readFileSync(release, 'utf8'))?.[1] ?? '');
}
