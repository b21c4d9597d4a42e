/** Texts by name, from one JSON file a language. */
import { formatFor, type Format } from './format.ts';

export interface Words<K extends string> {
  readonly language: string;
  readonly format: Format;
  /** The text of the name, with each `{name}` replaced. What is put in is text, never markup. */
  say(name: K, values?: Readonly<Record<string, string>>): string;
  /** Of `name.one`, `name.other` and the like, the one that goes with the number; `{count}` is the number. */
  many(name: string, count: number, values?: Readonly<Record<string, string>>): string;
}

export type Texts<K extends string> = Readonly<Record<K, string>>;

/** @param fallback has every name; a language that lacks one borrows it */
export function wordsOf<K extends string>(language: string, texts: Partial<Texts<K>>, fallback: Texts<K>): Words<K> {
  const format = formatFor(language);
  const all: Readonly<Record<string, string | undefined>> = { ...fallback, ...texts };
  const say = (name: string, values: Readonly<Record<string, string>> = {}): string => (all[name] ?? name).replaceAll(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
  return {
    language,
    format,
    say,
    many: (name, count, values = {}) => {
      const form = `${name}.${format.plural(count)}`;
      return say(form in all ? form : `${name}.other`, { count: format.count(count), ...values });
    },
  };
}

/** The first of the person's languages that there are texts for. */
export function chooseLanguage<L extends string>(wanted: readonly string[], known: readonly L[], fallback: L): L {
  for (const each of wanted) {
    const primary = each.toLowerCase().split('-')[0];
    const found = known.find((language) => language === primary);
    if (found !== undefined) return found;
  }
  return fallback;
}
