import type { Context } from './context.ts';
import { removeAndReport } from './remove-states.ts';
import { parseStateNumber } from './state-number.ts';

export async function run(context: Context, texts: string[]): Promise<void> {
  const numbers = [...new Set(texts.map(parseStateNumber))].toSorted((a, b) => a - b);
  await removeAndReport(context, 'state-remove', () => numbers);
}
