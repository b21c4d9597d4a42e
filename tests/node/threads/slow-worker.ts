import { setTimeout as delay } from 'node:timers/promises';
import { serve } from '../../../node/threads/serve.ts';

export type SlowTask = { wait: number; name: string } | 'die';

/** Waits as long as a task says, and gives its name back. */
serve(async (task: SlowTask): Promise<string> => {
  if (task === 'die') process.exit(1);
  await delay(task.wait);
  return task.name;
});
