import { pinnedStates, writePins } from '../system/pins.ts';
import { requireStateNumber } from '../system/states.ts';
import { System } from '../system/system.ts';
import { formatList } from '../ui/format.ts';
import type { Context } from './context.ts';
import { parseStateNumber } from './state-number.ts';

export async function run(context: Context, texts: string[]): Promise<void> {
  await pinAndReport(context, 'state-pin', texts, (pinned, numbers) => new Set([...pinned, ...numbers]), 'Pinned');
}

/** The common part of `state pin` and `state unpin`. */
export async function pinAndReport(
  context: Context,
  schema: string,
  texts: readonly string[],
  change: (pinned: Set<number>, numbers: Set<number>) => Set<number>,
  done: string,
): Promise<void> {
  const { output, layout, signal, environment, dryRun } = context;
  const numbers = texts.map(parseStateNumber);
  const system = await System.openToWrite({ root: context.root, onEvent: output.onEvent, signal, environment });
  try {
    for (const number of numbers) requireStateNumber(layout, number);
    const pinned = change(pinnedStates(layout), new Set(numbers));
    if (!dryRun) writePins(layout, pinned);
    const name = `${numbers.length === 1 ? 'state' : 'states'} ${formatList(numbers.map(String))}`;
    output.result(schema, { states: numbers, pinned: [...pinned].toSorted((a, b) => a - b), ...(dryRun && { dryRun }) }, () => [
      dryRun ? `Would change the pins of ${name}.` : `${done} ${name}.`,
    ]);
  } finally {
    await system.close();
  }
}
