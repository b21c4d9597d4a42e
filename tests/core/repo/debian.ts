/** The packages of this machine's Debian lists, where there are any: real input for the tests and measurements. */
import { execFileSync } from 'node:child_process';
import { splitRelations } from '../../../core/repo/dependency.ts';
import type { IndexEntry } from '../../../core/repo/index-file.ts';

/** Any manifest will do where none is read. */
export const SOME_MANIFEST = 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy';

/** What `apt-cache dumpavail` prints, or '' where there is no apt or it knows no packages. */
export function debianPackages(): string {
  try {
    return execFileSync('apt-cache', ['dumpavail'], { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}

/** The `Packages` files that apt has fetched, each with the name of its suite; none where there is no apt. */
export function debianLists(): { suite: string; packages: string }[] {
  try {
    const options = { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] } as const;
    const targets = execFileSync('apt-get', ['indextargets', '--format', '$(CODENAME) $(FILENAME)', 'Created-By: Packages'], options);
    return targets.trim().split('\n').map((line) => {
      const [suite = '', file = ''] = line.split(' ');
      return { suite, packages: execFileSync('/usr/lib/apt/apt-helper', ['cat-file', file], options) };
    });
  } catch {
    return [];
  }
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
