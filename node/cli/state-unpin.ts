import type { Context } from './context.ts';
import { changePins } from './state-pin.ts';

export async function run(context: Context, texts: string[]): Promise<void> {
  await changePins(context, 'state-unpin', texts, (pinned, numbers) => new Set([...pinned].filter((number) => !numbers.has(number))), 'Unpinned');
}
