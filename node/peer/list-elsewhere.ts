import { fork } from 'node:child_process';
import { MossError } from '../../core/error.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { Settings } from '../config/settings.ts';
import type { Layout } from '../store/layout.ts';
import { workerUrl } from '../threads/pool.ts';
import { ContentIndex } from './content-index.ts';
import type { ListReply, ListTask } from './list-process.ts';
import type { Listing } from './listing.ts';

/** Milliseconds for a listing: it takes some hundred for two hundred packages. */
const DEADLINE = 5 * 60_000;

/**
 * What a root serves by the policy `installed`, as another process finds it: a peer runs for weeks, and would keep what it
 * takes to read the tables of all packages (some 40 MB, measured; on a thread of its own, too).
 *
 * @throws MossError `io` when the process fails, or takes longer than five minutes
 */
export async function listElsewhere({ root }: Layout, settings: Settings, { signal }: AbortOptions = {}): Promise<Listing> {
  const child = fork(workerUrl(import.meta.url, './list-process'), { serialization: 'advanced', execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const stop = (): void => void child.kill('SIGKILL');
  signal?.addEventListener('abort', stop);
  const deadline = setTimeout(stop, DEADLINE);
  try {
    const reply = await new Promise<ListReply>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, killedBy) => reject(new Error(`the process ended with ${code ?? killedBy}`)));
      // It is the same program that answers.
      child.once('message', (message) => resolve(message as unknown as ListReply));
      child.send({ root, settings } satisfies ListTask);
    });
    if ('failure' in reply) throw new Error(reply.failure);
    const { columns, repositories, packages } = reply;
    return { index: new ContentIndex(columns), repositories, packages };
  } catch (cause) {
    throw new MossError('io', `what is served cannot be listed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    clearTimeout(deadline);
    signal?.removeEventListener('abort', stop);
  }
}
