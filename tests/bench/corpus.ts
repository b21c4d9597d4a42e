/** The packages that the benchmarks run on: a fixed list of Debian packages with everything that they depend on. */
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, has, run, SkippedError } from './programs.ts';

/** A shell, tools, compilers, an editor, documents, many small icons and few large libraries. */
export const ROOTS = [
  'bash', 'coreutils', 'git', 'jq', 'ripgrep', 'python3', 'dash', 'sed', 'grep', 'findutils', 'vim', 'perl', 'gawk', 'make', 'curl',
  'openssl', 'ca-certificates', 'g++-12', 'cmake', 'libllvm14', 'python3-numpy', 'ncurses-term', 'linux-libc-dev', 'manpages-dev',
  'tzdata', 'iso-codes', 'adwaita-icon-theme',
];

export interface Corpus {
  /** Paths of the `.deb` files, in the order of their names. */
  files: string[];
  /** Names of the packages in them. */
  names: string[];
  /** Bytes of the files together. */
  bytes: number;
}

/** Downloads what is not in the cache yet. */
export async function corpus(cache: string): Promise<Corpus> {
  const directory = join(cache, 'debs');
  mkdirSync(directory, { recursive: true });
  const list = join(cache, 'closure.txt');
  const names = await closure(cache);
  // The cache is of use only while it is the same list: a newer archive has other versions.
  if (readdirSync(directory).filter((name) => name.endsWith('.deb')).length !== names.length) {
    process.stderr.write(`Downloading ${names.length} packages ...\n`);
    await run('apt-get', ['download', '-qq', ...names], { cwd: directory });
  }
  writeFileSync(list, `${names.join('\n')}\n`);
  const files = readdirSync(directory).filter((name) => name.endsWith('.deb')).toSorted().map((name) => join(directory, name));
  return { files, names, bytes: files.reduce((sum, file) => sum + statSync(file).size, 0) };
}

async function closure(cache: string): Promise<string[]> {
  for (const tool of ['apt-get', 'dpkg-deb', 'nginx', 'curl']) if (!has(tool)) throw new SkippedError(`${tool} is not on this machine`);
  return installedByApt(cache, ROOTS, { recommends: false });
}

/** What apt would install on an empty machine, in the order of names. */
export async function installedByApt(cache: string, roots: readonly string[], { recommends }: { recommends: boolean }): Promise<string[]> {
  const status = join(cache, 'empty-status');
  writeFileSync(status, '');
  const out = await capture('apt-get', ['-s', '-o', `Dir::State::status=${status}`, 'install', `--${recommends ? '' : 'no-'}install-recommends`, ...roots]);
  const names = [...out.matchAll(/^Inst (\S+)/gm)].flatMap(([, name]) => (name === undefined ? [] : [name]));
  if (names.length === 0) throw new SkippedError('apt-get knows none of the packages (run apt-get update)');
  return names.toSorted();
}
