import type { Context } from './context.ts';
import { pinAndReport } from './state-pin.ts';

export async function run(context: Context, texts: string[]): Promise<void> {
  await pinAndReport(context, 'state-unpin', texts, (pinned, numbers) => new Set([...pinned].filter((number) => !numbers.has(number))), 'Unpinned');
}
