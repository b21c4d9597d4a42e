import { MossError } from '../error.ts';
import type { SourceState } from './source-state.ts';
import type { Task } from './task.ts';

/** Whether a source may yet bring a task. */
export function mayHave(source: SourceState, task: Task): boolean {
  return !source.out && !task.tried.has(source);
}

/** Why a task cannot be had: `source-failed` when a later run may get it, else `no-source`. */
export function noSource(task: Task, sources: Iterable<SourceState>): MossError {
  const reasons = [...task.tried.values(), ...[...sources].flatMap(({ reason }) => reason ?? [])];
  const later = reasons.find((reason) => reason.code === 'source-failed');
  const why = [...new Set(reasons.map((reason) => reason.message))].join('; ');
  return new MossError(later === undefined ? 'no-source' : 'source-failed', `cannot get ${task.want.cid.toString()}: ${why}`, {
    hint:
      later === undefined
        ? 'Run `moss repo update`; if it stays so, the repository is incomplete: tell its publisher.'
        : 'Run the command again: it goes on where it stopped.',
    cause: later ?? reasons[0],
    data: { cid: task.want.cid.toString() },
  });
}
