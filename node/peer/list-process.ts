/** Lists what is served, in a process of its own: the memory that it takes to read all tables is given back when it ends. */
import { asMossError } from '../io-error.ts';
import type { Settings } from '../config/settings.ts';
import { Layout } from '../store/layout.ts';
import { Repositories } from '../system/repositories.ts';
import type { Columns } from './content-index.ts';
import { listInstalled } from './listing.ts';

export interface ListTask {
  root: string;
  settings: Settings;
}

export type ListReply = { columns: Columns; repositories: Uint8Array[]; packages: number } | { failure: string };

async function list({ root, settings }: ListTask): Promise<ListReply> {
  try {
    const layout = new Layout(root);
    const known = await new Repositories({ layout, settings, onEvent: () => undefined }).known();
    const { index, repositories, packages } = await listInstalled(layout, known);
    return { columns: index.columns, repositories, packages };
  } catch (error) {
    return { failure: String(asMossError(error)) };
  }
}

// Nobody waits for it any more, or nobody is there: who started it kills it at a deadline, but may itself have been killed.
process.once('disconnect', () => process.exit());

// Who started this process is the same program.
process.once('message', (task) => {
  void list(task as ListTask).then((reply) => process.send?.(reply, undefined, {}, () => process.disconnect()));
});
