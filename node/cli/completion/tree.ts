/** The words of the command line as completions need them: flat, by the path of words that leads to each. */
import { isGroup, type Completes, type Group, type OptionRow, type Verb } from '../verb.ts';
import { GLOBAL_OPTIONS, VERBS } from '../verbs.ts';

export interface Described {
  word: string;
  meaning: string;
}

export interface Place {
  /** Ways to write it: `install` and `it`; `''` for the program itself. */
  paths: string[];
  /** Words that may follow; none where arguments do. */
  words: Described[];
  options: Described[];
  completes: Completes | undefined;
}

export function completionPlaces(): Place[] {
  return [{ paths: [''], words: wordsOf(VERBS), options: describe(GLOBAL_OPTIONS), completes: undefined }, ...placesOf(VERBS, [''])];
}

/** Options that take a value, so that the next word is none of the verb's. */
export function valueOptions(): string[] {
  const all = new Set<string>();
  const visit = (items: readonly (Verb | Group)[]): void => {
    for (const item of items) {
      if (isGroup(item)) visit(item.verbs);
      else for (const [flags] of item.options ?? []) if (flags.includes('<')) for (const flag of flagsOf(flags)) all.add(flag);
    }
  };
  visit(VERBS);
  for (const [flags] of GLOBAL_OPTIONS) if (flags.includes('<')) for (const flag of flagsOf(flags)) all.add(flag);
  return [...all];
}

function placesOf(items: readonly (Verb | Group)[], parents: readonly string[]): Place[] {
  return items.flatMap((item): Place[] => {
    const names = isGroup(item) ? [item.name] : [nameOf(item), ...(item.aliases ?? [])];
    const paths = parents.flatMap((parent) => names.map((name) => (parent === '' ? name : `${parent} ${name}`)));
    if (isGroup(item)) return [{ paths, words: wordsOf(item.verbs), options: describe(GLOBAL_OPTIONS), completes: undefined }, ...placesOf(item.verbs, paths)];
    if (item.hidden === true) return [];
    return [{ paths, words: [], options: describe([...(item.options ?? []), ...GLOBAL_OPTIONS]), completes: item.completes }];
  });
}

function wordsOf(items: readonly (Verb | Group)[]): Described[] {
  return items.flatMap((item) => (isGroup(item) ? [{ word: item.name, meaning: item.summary }] : item.hidden === true ? [] : [{ word: nameOf(item), meaning: item.summary }]));
}

function describe(rows: readonly OptionRow[]): Described[] {
  const options = rows.flatMap(([flags, meaning]) => flagsOf(flags).map((word) => ({ word, meaning })));
  return [...options, { word: '--help', meaning: 'help' }];
}

function flagsOf(flags: string): string[] {
  return flags.match(/(?<![\w-])--?[\w-]+/g) ?? [];
}

function nameOf({ usage }: Verb): string {
  return usage.split(' ', 1)[0] ?? usage;
}

/** In single quotes, for the shells that are completed. */
export function quoteShell(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
