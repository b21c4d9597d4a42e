/** Removes states after showing what that frees: `state remove` and `state prune`. */
import { removeStates } from '../system/states.ts';
import { System } from '../system/system.ts';
import { count, formatBytes, formatList } from '../ui/format.ts';
import type { Context } from './context.ts';

export async function removeAndReport(context: Context, schema: string, choose: () => readonly number[]): Promise<void> {
  const { output, signal, dryRun } = context;
  const system = await System.openToWrite({ root: context.root, onEvent: output.onEvent, signal, environment: context.environment });
  try {
    const states = choose();
    const expected = await removeStates(system, states, { dryRun: true });
    const name = `${states.length === 1 ? 'state' : 'states'} ${formatList(states.map(String))}`;
    if (states.length === 0 || dryRun) {
      output.result(schema, { states, freed: expected, ...(dryRun && { dryRun }) }, () => [
        states.length === 0 ? 'Nothing to remove.' : `Would remove ${name}, and free ${formatBytes(expected.bytes)} in ${count(expected.files, 'file')} that only they need.`,
      ]);
      return;
    }
    output.tell(`Removes ${name}, and frees ${formatBytes(expected.bytes)} in ${count(expected.files, 'file')} that only they need.`);
    await context.confirm('Go on?');
    const freed = await removeStates(system, states, { dryRun: false });
    output.result(schema, { states, freed }, () => [`Removed ${name}: ${formatBytes(freed.bytes)} freed.`]);
  } finally {
    await system.close();
  }
}
