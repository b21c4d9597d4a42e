/** A publisher's directory, changed by one process at a time. */
import { resolve } from 'node:path';
import { Lock } from '../store/lock.ts';
import { Repository } from '../publish/site.ts';
import type { PublishOptions } from '../trust/repository.ts';
import { publisherClock } from '../clock.ts';
import type { Context } from './context.ts';
import { readPassphrase } from './passphrase.ts';

/** Does some work with the lock that `publish` takes too. */
export async function withRepository<T>(
  { output, signal, environment }: Context,
  directory: string,
  options: Record<string, unknown>,
  work: (path: string, publishing: PublishOptions) => Promise<T>,
): Promise<T> {
  const path = resolve(directory);
  const { lock: file } = Repository.open(path);
  const lock = await Lock.take(file, { onWait: () => output.note('Waiting for another moss that changes this repository ...'), signal });
  try {
    return await work(path, { clock: publisherClock(environment), passphrase: readPassphrase(options, environment) });
  } finally {
    lock.release();
  }
}
