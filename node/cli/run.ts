import { MossError } from '../../core/error.ts';
import { activeNumber } from '../system/installed.ts';
import { planRun, runPlan, RUN_TOOLS } from '../system/run.ts';
import type { Context } from './context.ts';
import { flagOption, textOption } from './options.ts';
import { parseStateNumber } from './state-number.ts';

/** The exit status is the program's own. With `--json` its stdout goes to stderr, since stdout belongs to the document. */
export async function run(context: Context, command: string[], options: Record<string, unknown>): Promise<number> {
  const { layout, output, environment } = context;
  const active = activeNumber(layout);
  const text = textOption(options, 'state');
  const state = text === undefined ? active : parseStateNumber(text);
  if (state === undefined) throw new MossError('not-found', 'nothing is installed yet', { hint: 'Install something: `moss install PACKAGE`.' });
  if (text !== undefined) {
    const { requireState } = await import('../system/states.ts');
    requireState(layout, state);
  }
  const wanted = textOption(options, 'tool');
  const tool = RUN_TOOLS.find((each) => each === wanted);
  if (wanted !== undefined && tool === undefined) throw new MossError('usage', `--tool is one of ${RUN_TOOLS.join(', ')}`);
  const plan = planRun({ layout, state, active, command, environment, tool, here: flagOption(options, 'here') ? process.cwd() : undefined });
  const document = { state, command, tool: plan.tool };
  if (context.dryRun) {
    output.result('run', { ...document, status: null, signal: null, dryRun: true }, () => [`Would run ${command.join(' ')} in state ${state} with ${plan.tool}.`]);
    return 0;
  }
  const ended = await runPlan(plan, { stdout: output.options.json ? 2 : 'inherit' });
  if (output.options.json) output.result('run', { ...document, status: ended.status, signal: ended.signal ?? null }, () => []);
  return ended.status;
}
