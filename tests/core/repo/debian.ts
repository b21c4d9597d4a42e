/** The packages of this machine's Debian lists, where there are any: real input for the tests and measurements. */
import { execFileSync } from 'node:child_process';
import { splitRelations } from '../../../core/repo/dependency.ts';
import type { IndexEntry } from '../../../core/repo/index-file.ts';

/** Any manifest will do where none is read. */
export const SOME_MANIFEST = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';

/** Options for apt that make it think of a system with nothing installed. */
export const NOTHING_INSTALLED = ['-o', 'Dir::State::status=/dev/null', '-o', 'Dir::State::extended_states=/dev/null'];

/** What a program prints, or '' where it fails or is not there. */
function printed(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

/** The newest version of each package in apt's lists, as a `Packages` file; '' where there is no apt or it has no lists. */
export function debianPackages(): string {
  return printed('apt-cache', ...NOTHING_INSTALLED, 'dumpavail');
}

/** The `Packages` files that apt has fetched, each with the name of its suite; none where there is no apt. */
export function debianLists(): { suite: string; packages: string }[] {
  const targets = printed('apt-get', 'indextargets', '--format', '$(CODENAME) $(FILENAME)', 'Created-By: Packages');
  return targets.split('\n').filter((line) => line !== '').map((line) => {
    const [suite = '', file = ''] = line.split(' ');
    return { suite, packages: printed('/usr/lib/apt/apt-helper', 'cat-file', file) };
  });
}

/** The index entries of a Debian `Packages` file. */
export function* entriesOf(packages: string): Iterable<IndexEntry> {
  for (const stanza of packages.split('\n\n')) {
    const entry = entryOf(fieldsOf(stanza));
    if (entry !== undefined) yield entry;
  }
}

function fieldsOf(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let key = '';
  for (const line of stanza.split('\n')) {
    if (line.startsWith(' ') || line.startsWith('\t')) {
      fields.set(key, `${fields.get(key) ?? ''}\n${line}`);
    } else {
      const colon = line.indexOf(':');
      key = line.slice(0, colon);
      fields.set(key, line.slice(colon + 1).trim());
    }
  }
  return fields;
}

function entryOf(fields: Map<string, string>): IndexEntry | undefined {
  const name = fields.get('Package');
  const version = fields.get('Version');
  if (name === undefined || version === undefined) return undefined;
  const relations = (...keys: string[]) => keys.flatMap((key) => splitRelations(fields.get(key) ?? ''));
  const multiArch = fields.get('Multi-Arch');
  return {
    name,
    version,
    release: 0,
    architecture: fields.get('Architecture') ?? 'all',
    format: 'deb',
    summary: (fields.get('Description') ?? '').split('\n')[0] ?? '',
    homepage: fields.get('Homepage') ?? '',
    depends: relations('Pre-Depends', 'Depends'),
    recommends: relations('Recommends'),
    provides: relations('Provides'),
    conflicts: relations('Conflicts'),
    breaks: relations('Breaks'),
    replaces: relations('Replaces'),
    essential: fields.get('Essential') === 'yes',
    multiArch: multiArch === 'same' || multiArch === 'foreign' || multiArch === 'allowed' ? multiArch : '',
    manifest: SOME_MANIFEST,
    size: Number(fields.get('Installed-Size') ?? 0) * 1024,
    download: Number(fields.get('Size') ?? 0),
    files: 0,
    announce: true,
  };
}
