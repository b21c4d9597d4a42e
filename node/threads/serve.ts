/** The worker's end of a pool: errors keep their code, hint and data on the way back. */
import { parentPort, type Transferable } from 'node:worker_threads';
import { MossError, type ErrorCode } from '../../core/error.ts';
import { asMossError } from '../io-error.ts';

export type Reply =
  | { kind: 'result'; result: unknown }
  | { kind: 'event'; event: unknown }
  | {
      kind: 'error';
      message: string;
      stack: string | undefined;
      moss: { code: ErrorCode; hint: string | undefined; data: MossError['data'] } | undefined;
    };

/** Answers each task that the pool sends with what `handle` makes of it, one after the other. */
export function serve<Task, Result>(
  handle: (task: Task, report: (event: unknown) => void) => Result | Promise<Result>,
  transferOf: (result: Result) => Transferable[] = () => [],
): void {
  if (parentPort === null) throw new MossError('bug', 'a worker module was loaded outside of a worker');
  const port = parentPort;
  const post = (reply: Reply, transfer: Transferable[] = []): void => port.postMessage(reply, transfer);
  const answer = async (task: Task): Promise<void> => {
    try {
      const result = await handle(task, (event) => post({ kind: 'event', event }));
      post({ kind: 'result', result }, transferOf(result));
    } catch (error) {
      post(errorReply(asMossError(error)));
    }
  };
  let last = Promise.resolve();
  port.on('message', (task: Task) => {
    last = last.then(() => answer(task));
  });
}

function errorReply(error: unknown): Reply {
  if (error instanceof MossError) {
    const { code, hint, data, message, stack } = error;
    return { kind: 'error', message, stack, moss: { code, hint, data } };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: 'error', message, stack, moss: undefined };
}
