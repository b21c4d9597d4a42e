import { MossError } from '../../core/error.ts';

/** @throws MossError `usage` */
export function parseStateNumber(text: string): number {
  const number = Number(text);
  if (!/^\d{1,15}$/.test(text) || number < 1) throw new MossError('usage', `${JSON.stringify(text)} is no number of a state`, { hint: 'See `moss state list`.' });
  return number;
}
