import { activeNumber } from '../system/installed.ts';
import { activateState, requireState } from '../system/states.ts';
import { System } from '../system/system.ts';
import { count } from '../ui/format.ts';
import type { Context } from './context.ts';
import { parseStateNumber } from './state-number.ts';

export async function run(context: Context, [text = '']: string[]): Promise<void> {
  const { output, layout, signal } = context;
  const number = parseStateNumber(text);
  const { packages, reason } = requireState(layout, number);
  const before = activeNumber(layout) ?? null;
  const document = { state: number, before };
  if (context.dryRun || before === number) {
    output.result('state-activate', { ...document, kept: [], beside: [], ...(context.dryRun && { dryRun: true }) }, () => [
      before === number ? `State ${number} is active already.` : `Would go from state ${before ?? 'none'} to ${number}: ${count(packages.length, 'package')}, ${reason}.`,
    ]);
    return;
  }
  const system = await System.openToWrite({ root: context.root, onEvent: output.onEvent, signal, environment: context.environment });
  try {
    const { kept, beside } = await activateState(system, number);
    output.result('state-activate', { ...document, kept, beside }, () => [
      `State ${number} is active: ${count(packages.length, 'package')}.`,
      ...beside.map((path) => `  /${path} was changed by you: the package's is /${path}.moss-new`),
      ...kept.map((path) => `  /${path} was changed by you and stays`),
    ]);
  } finally {
    await system.close();
  }
}
