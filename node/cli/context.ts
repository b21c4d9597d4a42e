/** What every verb gets: the root, the output, and how to ask. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { Layout } from '../store/layout.ts';
import type { Output } from '../ui/output.ts';

/** The options that every verb takes. */
export interface GlobalOptions {
  root?: string;
  json?: boolean;
  yes?: boolean;
  dryRun?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  progress?: boolean;
}

export interface Context {
  root: string;
  layout: Layout;
  output: Output;
  yes: boolean;
  dryRun: boolean;
  /** Aborted by Ctrl-C. */
  signal: AbortSignal;
  environment: Record<string, string | undefined>;
  /** Asks before something is changed; see `ui/ask.ts`. */
  confirm: (question: string, assume?: boolean) => Promise<void>;
}

/** `$XDG_DATA_HOME/moss`, where no root rights are needed (XDG base directory specification). */
export function defaultRoot(environment: Record<string, string | undefined>): string {
  return join(environment['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'moss');
}

export function makeContext(options: GlobalOptions, rest: { output: Output; signal: AbortSignal; environment: Record<string, string | undefined> }): Context {
  const root = resolve(options.root ?? rest.environment['MOSS_ROOT'] ?? defaultRoot(rest.environment));
  const yes = options.yes === true;
  return {
    ...rest,
    root,
    layout: new Layout(root),
    yes,
    dryRun: options.dryRun === true,
    confirm: async (question, assume) => {
      const { confirm } = await import('../ui/ask.ts');
      rest.output.endProgress();
      // A program cannot judge what a person is asked to compare.
      if (rest.output.options.json && !yes && assume === false) {
        const { MossError } = await import('../../core/error.ts');
        throw new MossError('declined', 'with --json nobody is asked', { hint: 'Say yes with --yes.' });
      }
      await confirm(question, { yes: yes || rest.output.options.json, input: process.stdin, output: process.stderr, signal: rest.signal }, assume);
    },
  };
}
