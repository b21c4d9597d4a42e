/** The `control` file of a `.deb` (deb-control(5), deb822(5)): fields, and what a package says of itself in them. */
import type { PackageMetadata } from '../../core/dag/package.ts';
import { splitRelations } from '../../core/repo/dependency.ts';
import { checkedMetadata } from './check-metadata.ts';
import type { Place } from './place.ts';

/** Fields by their names in lower case; the lines of a value are joined by `\n`, each without its leading blank. */
export type Fields = Map<string, string>;

/**
 * The paragraphs of a deb822 file.
 *
 * @throws MossError `bad-package`
 */
export function parseFields(text: string, place: Place): Fields[] {
  const paragraphs: Fields[] = [];
  let fields: Fields = new Map();
  let last: string | undefined;
  let offset = 0;
  for (const line of text.split('\n')) {
    const at = offset;
    offset += Buffer.byteLength(line) + 1;
    if (line.startsWith('#')) continue;
    if (line.trim() === '') {
      if (fields.size > 0) paragraphs.push(fields);
      fields = new Map();
      last = undefined;
      continue;
    }
    if (line.startsWith(' ') || line.startsWith('\t')) {
      if (last === undefined) throw place.bad('a line that continues no field', { offset: at });
      const value = line.slice(1).trimEnd();
      fields.set(last, `${fields.get(last) ?? ''}\n${value}`);
      continue;
    }
    const match = /^([!-9;-~]+)[ \t]*:(.*)$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined) throw place.bad(`a line that is no field: ${JSON.stringify(line.slice(0, 60))}`, { offset: at });
    last = match[1].toLowerCase();
    if (fields.has(last)) throw place.bad(`the field ${match[1]} comes twice`, { offset: at });
    fields.set(last, match[2].trim());
  }
  if (fields.size > 0) paragraphs.push(fields);
  return paragraphs;
}

/** The metadata that a control file gives. @throws MossError `bad-package` */
export function debMetadata(text: string, licences: string[], place: Place): PackageMetadata {
  const [fields, ...more] = parseFields(text, place);
  if (fields === undefined) throw place.bad('it has no fields', { offset: 0 });
  if (more.length > 0) throw place.bad('it has more than one paragraph');
  const required = (field: string) => {
    const value = fields.get(field.toLowerCase());
    if (value === undefined || value === '') throw place.bad(`the field ${field} is missing`);
    return value;
  };
  const line = (field: string) => (fields.get(field) ?? '').replace(/\s+/g, ' ').trim();
  const relations = (field: string) => splitRelations(fields.get(field) ?? '');
  const name = required('Package');
  const [summary, description] = splitDescription(fields.get('description') ?? '');
  const metadata: PackageMetadata = {
    name,
    version: required('Version'),
    release: 0,
    architecture: required('Architecture'),
    format: 'deb',
    summary,
    description,
    homepage: line('homepage'),
    licences,
    depends: [...relations('pre-depends'), ...relations('depends')],
    recommends: relations('recommends'),
    suggests: relations('suggests'),
    provides: relations('provides'),
    conflicts: relations('conflicts'),
    breaks: relations('breaks'),
    replaces: relations('replaces'),
    essential: line('essential').toLowerCase() === 'yes',
    multiArch: multiArch(line('multi-arch').toLowerCase(), place),
    source: line('source') || name,
  };
  return checkedMetadata(metadata, place);
}

/** The first line, and the rest with its paragraphs: a line with only a dot is an empty one (deb-control(5)). */
function splitDescription(text: string): [summary: string, description: string] {
  const [summary = '', ...rest] = text.split('\n');
  return [summary.trim(), rest.map((line) => (line === '.' ? '' : line)).join('\n').trim()];
}

function multiArch(word: string, place: Place): PackageMetadata['multiArch'] {
  switch (word) {
    case '':
    case 'no':
      return '';
    case 'same':
    case 'foreign':
    case 'allowed':
      return word;
  }
  throw place.bad(`Multi-Arch is ${JSON.stringify(word)}, and can be no, same, foreign or allowed`);
}
