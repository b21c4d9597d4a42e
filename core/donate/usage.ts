/** What a donor gave, kept over restarts: counts alone, and nobody's name. */
import { decode, encode } from 'multiformats/codecs/json';
import { Fields } from '../dag/fields.ts';
import type { MetadataStore } from '../ports/metadata.ts';

export interface Usage {
  /** The calendar month in which `sent` went out, UTC: `2026-11`. */
  readonly month: string;
  readonly sent: number;
  /** Bytes that ever went out. */
  readonly given: number;
  /** Peers that were ever given something; one that comes again later may count again. */
  readonly helped: number;
}

export const USAGE = 'donor-usage';

/** @param now milliseconds since the epoch */
export function monthOf(now: number): string {
  return new Date(now).toISOString().slice(0, 7);
}

/** Usage with nothing of this month yet, once another one has begun. */
export function inMonth(usage: Usage, month: string): Usage {
  return usage.month === month ? usage : { ...usage, month, sent: 0 };
}

export async function readUsage(records: MetadataStore, month: string): Promise<Usage> {
  const none = { month, sent: 0, given: 0, helped: 0 };
  const bytes = await records.get(USAGE);
  if (bytes === undefined) return none;
  try {
    const fields = new Fields(decode(bytes), 'bad-metadata', 'usage');
    return inMonth({ month: fields.text('month', 7), sent: fields.int('sent'), given: fields.int('given'), helped: fields.int('helped') }, month);
  } catch {
    // A damaged record must not keep a donor from giving.
    return none;
  }
}

export async function writeUsage(records: MetadataStore, usage: Usage): Promise<void> {
  await records.put(USAGE, encode(usage));
}
