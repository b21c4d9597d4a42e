import { resolve } from 'node:path';
import { publisherClock } from '../clock.ts';
import { refreshSite } from '../trust/repository.ts';
import { repositoryStatus } from '../trust/repository-status.ts';
import type { Context } from './context.ts';
import { statusLines, statusValue } from './repo-status.ts';
import { withRepository } from './with-repository.ts';

export async function run(context: Context, [directory = '.']: string[], options: Record<string, unknown>): Promise<void> {
  const { output, dryRun, environment } = context;
  const path = resolve(directory);
  if (dryRun) {
    const status = await repositoryStatus(path, { clock: publisherClock(environment) });
    output.result('repo-refresh', { ...statusValue(path, status), dryRun }, () => [...statusLines(path, status, output.style), '', 'Nothing was signed (--dry-run).']);
    return;
  }
  const status = await withRepository(context, directory, options, (_, publishing) => refreshSite(path, publishing));
  output.result('repo-refresh', statusValue(path, status), () => statusLines(path, status, output.style));
}
