/** The `moss` program: puts a command line, the terminal and the verbs together. */
import { CommanderError } from 'commander';
import { MossError } from '../core/error.ts';
import { makeContext } from './cli/context.ts';
import { buildProgram, usageError, type Act } from './cli/program.ts';
import { expandWords } from './cli/words.ts';
import { Output } from './ui/output.ts';

/** Characters of a line of help, where the terminal is wider or there is none. */
const HELP_WIDTH = 100;

export async function main(argv: readonly string[], environment: Record<string, string | undefined>): Promise<number> {
  // A reader that has seen enough, such as `head`, is no failure.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreBrokenPipe);
  // Trees have the modes that packages give them, whatever the user's own files should have.
  process.umask(0o022);
  const words = expandWords(argv);
  let status = 0;
  const act: Act = async ({ load, ownSignals }, args, options) => {
    const output = makeOutput(options, environment);
    const interruption = new Interruption(ownSignals === true);
    try {
      const context = makeContext(options, { output, signal: interruption.signal, environment });
      status = (await (await load()).run(context, args, options)) ?? 0;
      output.endProgress();
    } catch (error) {
      status = output.failure(interruption.signal.aborted ? interruption.signal.reason : error);
    } finally {
      interruption.end();
    }
  };
  let missing = '';
  const program = buildProgram(act, {
    write: (text) => process.stdout.write(text),
    writeMissing: (text) => (missing += text),
    columns: Math.min(HELP_WIDTH, process.stdout.columns || HELP_WIDTH),
  });
  try {
    await program.parseAsync(words, { from: 'user' });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    const json = beforeDashes(words).includes('--json');
    // Without a verb the help is the answer, as a person expects; a program expects a document.
    if (error.code === 'commander.help' && !json) {
      process.stdout.write(missing);
      return 0;
    }
    const output = makeOutput({ json, verbose: beforeDashes(words).includes('--verbose') }, environment);
    return output.failure(error.code === 'commander.help' ? new MossError('usage', 'a verb is missing', { hint: '`moss --help` shows what there is.' }) : usageError(error, words));
  }
}

function makeOutput(options: Record<string, unknown>, environment: Record<string, string | undefined>): Output {
  return new Output(
    {
      json: options['json'] === true,
      quiet: options['quiet'] === true,
      verbose: options['verbose'] === true,
      progress: options['progress'] !== false && environment['TERM'] !== 'dumb',
    },
    { stdout: process.stdout, stderr: process.stderr },
  );
}

/** Ctrl-C aborts what runs, in good order; a second one ends the program at once. */
class Interruption {
  readonly #controller = new AbortController();
  readonly #signals: NodeJS.Signals[];
  #count = 0;
  readonly #onSignal = (): void => {
    if (this.#count++ > 0) process.exit(130);
    this.#controller.abort();
  };

  constructor(isElsewhere: boolean) {
    this.#signals = isElsewhere ? [] : ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of this.#signals) process.on(signal, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    for (const signal of this.#signals) process.off(signal, this.#onSignal);
  }
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

function beforeDashes(words: readonly string[]): readonly string[] {
  const at = words.indexOf('--');
  return at === -1 ? words : words.slice(0, at);
}
