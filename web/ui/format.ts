/** Numbers as people read them, in their language. */
const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

export interface Format {
  /** 1.2 MB */
  bytes(count: number): string;
  /** 1.2 MB/s */
  rate(bytes: number): string;
  count(value: number): string;
  percent(part: number): string;
  /** The form of a word that goes with the number. */
  plural(count: number): Intl.LDMLPluralRule;
}

export function formatFor(language: string): Format {
  const plurals = new Intl.PluralRules(language);
  const counts = new Intl.NumberFormat(language);
  const percents = new Intl.NumberFormat(language, { style: 'percent' });
  const numbers = new Map<string, Intl.NumberFormat>();
  const scaled = (value: number, per: '' | '-per-second'): string => {
    // Browsers write `0 byte`, which reads like a mistake.
    if (value < 1000) return `${counts.format(Math.round(value))} B${per === '' ? '' : '/s'}`;
    const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(value) / 3));
    const unit = `${UNITS[power] ?? 'byte'}${per}`;
    const shown = value / 1000 ** power;
    const digits = shown >= 100 ? 0 : 1;
    const name = `${unit} ${digits}`;
    const format = numbers.get(name) ?? new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: digits });
    numbers.set(name, format);
    return format.format(shown);
  };
  return {
    bytes: (count) => scaled(count, ''),
    rate: (bytes) => scaled(bytes, '-per-second'),
    count: (value) => counts.format(value),
    percent: (part) => percents.format(part),
    plural: (count) => plurals.select(count),
  };
}
