/** The `moss` program: the words of the command line. What they do is in `cli/`, loaded when it is asked for. */
import { Command, CommanderError, Option } from 'commander';
import { constants } from 'node:os';
import { makeContext, type Context, type GlobalOptions } from './cli/context.ts';
import { Output } from './ui/output.ts';
import { version } from './version.ts';

/** A verb: its arguments as commander gives them, in order. */
type Run = (context: Context, args: string[], options: Record<string, unknown>) => Promise<number | void>;

interface Verb {
  /** As commander writes it: `install <package...>`. */
  usage: string;
  summary: string;
  aliases?: string[];
  options?: [flags: string, meaning: string][];
  load: () => Promise<{ run: Run }>;
}

interface Group {
  name: string;
  summary: string;
  verbs: Verb[];
}

const VERBS: (Verb | Group)[] = [
  {
    usage: 'install <package...>',
    summary: 'install packages and what they need',
    aliases: ['it'],
    options: [
      ['--with <components>', 'bring these components, although a setting leaves them out'],
      ['--without <components>', 'leave these components out'],
      ['--recommends', 'bring what is recommended, too'],
    ],
    load: () => import('./cli/install.ts'),
  },
  {
    name: 'repo',
    summary: 'the repositories that packages come from, and your own',
    verbs: [
      {
        usage: 'init <directory>',
        summary: 'make a repository and its keys',
        options: [
          ['--name <name>', 'what the repository is called'],
          ['--root-keys <number>', 'how many root keys to make (1)'],
          ['--threshold <number>', 'how many of them must sign (1)'],
          ['--passphrase-file <file>', 'encrypt the private keys with what is in this file'],
        ],
        load: () => import('./cli/repo-init.ts'),
      },
      {
        usage: 'add <name> <url>',
        summary: 'add a repository',
        aliases: ['ar'],
        options: [['--fingerprint <digits>', 'of its root keys, from the publisher: nothing is asked']],
        load: () => import('./cli/repo-add.ts'),
      },
      { usage: 'update [name...]', summary: 'fetch what the repositories signed last', aliases: ['ur'], load: () => import('./cli/repo-update.ts') },
    ],
  },
  {
    usage: 'publish <directory> [package...]',
    summary: 'publish packages: .deb, .stone, stone.index, directories',
    options: [
      ['--name <name>', 'of a directory that does not say'],
      ['--package-version <version>', 'of a directory that does not say'],
      ['--prefix <path>', 'where the tree of a directory goes'],
      ['--remove <packages>', 'take these out: name or name=version, with commas'],
      ['--passphrase-file <file>', 'opens the private keys'],
    ],
    load: () => import('./cli/publish.ts'),
  },
];

const GLOBAL_OPTIONS: [flags: string, meaning: string][] = [
  ['-D, --root <directory>', 'the root to work on (MOSS_ROOT, or $XDG_DATA_HOME/moss)'],
  ['--json', 'one JSON document on stdout, events as JSON lines on stderr'],
  ['-y, --yes', 'do not ask'],
  ['--dry-run', 'show what would be done, and stop'],
  ['-q, --quiet', 'no words but results, warnings and errors'],
  ['-v, --verbose', 'details of errors'],
  ['--no-progress', 'no progress line'],
];

export async function main(argv: readonly string[], environment: Record<string, string | undefined>): Promise<number> {
  const controller = new AbortController();
  let signals = 0;
  const onSignal = (): void => {
    if (signals++ > 0) process.exit(130);
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // Trees have the modes that packages give them, whatever the user's own files should have.
  process.umask(0o022);
  let status = 0;
  const program = buildProgram(async (load, args, options) => {
    const output = new Output(
      {
        json: options.json === true,
        quiet: options.quiet === true,
        verbose: options.verbose === true,
        progress: options.progress !== false && environment['TERM'] !== 'dumb',
      },
      { stdout: process.stdout, stderr: process.stderr },
    );
    try {
      const context = makeContext(options, { output, signal: controller.signal, environment });
      status = (await (await load()).run(context, args, options)) ?? 0;
      output.endProgress();
    } catch (error) {
      status = output.failure(controller.signal.aborted ? controller.signal.reason : error);
    }
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : 2;
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
  return status;
}

type Act = (load: Verb['load'], args: string[], options: GlobalOptions & Record<string, unknown>) => Promise<void>;

/** The whole command line; `completion` reads it too. */
export function buildProgram(act: Act): Command {
  const program = new Command('moss')
    .description('A serverless package repository: every machine that has a package becomes a part of it.')
    .version(version, '--version', 'the version of moss')
    .helpOption('-h, --help', 'this help')
    .exitOverride()
    .showHelpAfterError('(moss --help shows what there is)')
    .configureHelp({ sortSubcommands: false });
  addGlobalOptions(program);
  for (const item of VERBS) {
    if ('verbs' in item) {
      const group = program.command(item.name).description(item.summary);
      for (const verb of item.verbs) {
        addVerb(group, verb, act);
        for (const alias of verb.aliases ?? []) addVerb(program, { ...verb, usage: verb.usage.replace(/^\S+/, alias), aliases: [] }, act, true);
      }
    } else addVerb(program, item, act);
  }
  return program;
}

function addVerb(parent: Command, verb: Verb, act: Act, hidden = false): void {
  const command = parent.command(verb.usage, { hidden }).description(verb.summary);
  if (parent.parent === null && !hidden) command.aliases(verb.aliases ?? []);
  for (const [flags, meaning] of verb.options ?? []) command.option(flags, meaning);
  addGlobalOptions(command);
  command.action(async () => {
    const args = command.processedArgs.flat().filter((arg): arg is string => typeof arg === 'string');
    await act(verb.load, args, command.optsWithGlobals());
  });
}

/** Global options may stand before and after the verb; help shows them once. */
function addGlobalOptions(command: Command): void {
  for (const [flags, meaning] of GLOBAL_OPTIONS) {
    const option = new Option(flags, meaning);
    command.addOption(command.parent === null ? option : option.hideHelp());
  }
}

/** Signals as shells number them: a program that was run keeps its own. */
export function signalStatus(signal: NodeJS.Signals): number {
  return 128 + (constants.signals[signal] ?? 0);
}
