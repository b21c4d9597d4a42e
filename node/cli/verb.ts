/** What a word of the command line is: its usage, its options, and where the code behind it is. */
import type { Context } from './context.ts';

/** Does a verb: its arguments in order, and its options. The exit status is 0 unless it says another. */
export type Run = (context: Context, args: string[], options: Record<string, unknown>) => Promise<number | void>;

/** What can be offered where an argument is typed: see `complete.ts`. */
export type Completes = 'installed' | 'available' | 'repositories' | 'states' | 'settings' | 'files' | 'directories' | 'shells' | 'roles';

/** An option as commander writes it. A value that is given twice becomes one with a comma where `list` is there. */
export type OptionRow = [flags: string, meaning: string, list?: 'list'];

export interface Verb {
  /** As commander writes it: `install <package...>`. */
  usage: string;
  summary: string;
  aliases?: string[];
  options?: OptionRow[];
  completes?: Completes;
  /** Kept out of the help. */
  hidden?: boolean;
  /** The verb deals with SIGINT and SIGTERM itself: they belong to a program that it runs. */
  ownSignals?: boolean;
  load: () => Promise<{ run: Run }>;
}

export interface Group {
  name: string;
  summary: string;
  verbs: (Verb | Group)[];
}

export function isGroup(item: Verb | Group): item is Group {
  return 'verbs' in item;
}
