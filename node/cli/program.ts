/** The command line as commander parses it, made from the table of words; `completion` reads it too. */
import { Command, type CommanderError } from 'commander';
import { MossError } from '../../core/error.ts';
import { version } from '../version.ts';
import { isGroup, type Group, type OptionRow, type Verb } from './verb.ts';
import { GLOBAL_OPTIONS, VERBS } from './verbs.ts';
import { ALIASES } from './words.ts';

export type Act = (verb: Verb, args: string[], options: Record<string, unknown>) => Promise<void>;

export interface ProgramStreams {
  /** Help and version. */
  write: (text: string) => void;
  /** Help that follows from a verb that is missing. */
  writeMissing: (text: string) => void;
  /** Characters in a line. */
  columns: number;
}

export function buildProgram(act: Act, { write, writeMissing, columns }: ProgramStreams): Command {
  const program = new Command('moss')
    .description('A serverless package repository: every machine that has a package becomes a part of it.')
    .version(version, '--version', 'the version of moss')
    .helpOption('-h, --help', 'help, of a verb too')
    .helpCommand('help [verb]', 'help, of a verb too')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, helpWidth: columns })
    // Errors are told by whoever asked to parse: as text, or as JSON.
    .configureOutput({ writeOut: write, writeErr: writeMissing, outputError: () => undefined });
  // They may stand before and after the verb: commander looks for the program's own options everywhere before `--`.
  addOptions(program, GLOBAL_OPTIONS);
  addAll(program, VERBS, act);
  program.addHelpText('after', `\nShort for two words: ${[...ALIASES].map(([alias, words]) => `${alias} (${words.join(' ')})`).join(', ')}.`);
  return program;
}

function addAll(parent: Command, items: readonly (Verb | Group)[], act: Act): void {
  for (const item of items) {
    if (isGroup(item)) {
      addAll(parent.command(item.name).helpCommand(false).description(item.summary), item.verbs, act);
      continue;
    }
    const command = parent.command(item.usage, { hidden: item.hidden === true }).description(item.summary).aliases(item.aliases ?? []);
    addOptions(command, item.options ?? []);
    command.action(async () => {
      const args = command.processedArgs.flat().filter((arg): arg is string => typeof arg === 'string');
      await act(item, args, command.optsWithGlobals());
    });
  }
}

function addOptions(command: Command, rows: readonly OptionRow[]): void {
  for (const [flags, meaning, list] of rows) {
    if (list === undefined) command.option(flags, meaning);
    else command.option(flags, meaning, (value: string, before: string | undefined) => (before === undefined ? value : `${before},${value}`));
  }
}

/** What commander says about a command line, as one of our errors. */
export function usageError({ message }: CommanderError, words: readonly string[]): MossError {
  const [, text = message, meant] = /^(?:error: )?([^]*?)(?:\n\(Did you mean (?:one of )?([^?]+)\?\))?$/.exec(message.trim()) ?? [];
  const verb = words.find((word) => !word.startsWith('-'));
  const known = VERBS.some((item) => (isGroup(item) ? item.name : (item.usage.split(' ', 1)[0] ?? '')) === verb);
  return new MossError('usage', text, {
    hint: meant === undefined ? `\`moss ${known ? `${verb ?? ''} ` : ''}--help\` shows what there is.` : `Did you mean ${meant}?`,
  });
}
