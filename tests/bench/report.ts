/** Figures side by side with their goals. */

export type Figure = Measured | NotMeasured;

export interface Measured {
  what: string;
  value: number;
  /** How the value reads: `ratio` with two digits, `MB`, `s`, `count`, ... */
  unit: 'ratio' | 'fraction' | 'KB' | 'MB' | 'MB/s' | 's' | 'ms' | 'count' | '/s';
  goal?: { most: number } | { least: number } | undefined;
}

/** What could not be measured on this machine. */
export interface NotMeasured {
  what: string;
  /** Why. */
  missing: string;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = low] = sorted.length % 2 === 1 ? [sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return (low + high) / 2;
}

/** A table in Markdown, so that it can be pasted into docs/benchmarks.md. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => ('missing' in figure ? [figure.what, `not measured: ${figure.missing}`, '', ''] : [figure.what, format(figure), goalOf(figure), verdict(figure)]));
  const all = [['what', 'measured', 'goal', ''], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0), 3));
  const line = (row: readonly string[]): string => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = all;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...body.map(line)].join('\n');
}

function format({ value, unit }: Measured): string {
  switch (unit) {
    case 'ratio':
      return value.toFixed(2);
    case 'fraction':
      return value.toFixed(4);
    case 'count':
      return Math.round(value).toLocaleString('en');
    case '/s':
      return `${Math.round(value).toLocaleString('en')} /s`;
    default:
      return `${value.toFixed(value < 10 ? 2 : 1)} ${unit}`;
  }
}

function goalOf({ goal, unit }: Measured): string {
  if (goal === undefined) return '';
  const [sign, bound] = 'most' in goal ? ['≤', goal.most] : ['≥', goal.least];
  return `${sign} ${bound}${unit === 'ratio' || unit === 'fraction' ? '' : ` ${unit}`}`;
}

function verdict({ goal, value }: Measured): string {
  if (goal === undefined) return '';
  return ('most' in goal ? value <= goal.most : value >= goal.least) ? 'reached' : 'missed';
}
