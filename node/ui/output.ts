/** Where results and words go: data on stdout, everything else on stderr. */
import type { Listener, MossEvent } from '../../core/install/event.ts';
import { ERROR_CODES, MossError } from '../../core/error.ts';
import { asMossError } from '../io-error.ts';
import { EventLines } from './event-lines.ts';
import { Progress } from './progress.ts';
import { styles, type Styles } from './style.ts';

export interface OutputOptions {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  /** Whether a progress line may be drawn. */
  progress: boolean;
}

export interface Streams {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

export class Output {
  readonly options: OutputOptions;
  readonly style: Styles;
  readonly #streams: Streams;
  readonly #progress: Progress;
  readonly #events = new EventLines((event) => this.event({ ...event }));

  constructor(options: OutputOptions, streams: Streams) {
    this.options = options;
    this.#streams = streams;
    this.style = styles(streams.stdout);
    this.#progress = new Progress({ stream: streams.stderr, line: options.progress && streams.stderr.isTTY, quiet: options.quiet || options.json });
  }

  /** Takes the engine's events: a progress line on a terminal, plain lines elsewhere, ndjson with `--json`. */
  readonly onEvent: Listener = (event) => {
    if (event.type === 'warning') this.warn(event.message, event.hint);
    else if (event.type === 'waiting') this.note(`Waiting for ${event.what} ...`);
    else if (this.options.json) this.#eventLine(event);
    else this.#progress.take(event);
  };

  /**
   * The result of a command: with `--json` one document on stdout, `{ schema: "moss.<name>/1", ... }`; else the lines.
   */
  result(name: string, value: Record<string, unknown>, lines: () => Iterable<string>): void {
    this.endProgress();
    if (this.options.json) {
      this.#streams.stdout.write(`${JSON.stringify({ schema: `moss.${name}/1`, ...value })}\n`);
      return;
    }
    let text = '';
    for (const line of lines()) text += `${line}\n`;
    this.#streams.stdout.write(text);
  }

  /** A word to the person, on stderr; not with `--quiet`. */
  note(text: string): void {
    if (this.options.quiet || this.options.json) return;
    this.#progress.above(text);
  }

  /** What a person is asked about: with `--quiet` too, since the question would make no sense without. */
  tell(text: string): void {
    if (!this.options.json && text !== '') this.#progress.above(text);
  }

  /** Something that a person should know even with `--quiet`. */
  warn(message: string, hint?: string): void {
    if (this.options.json) {
      this.#eventLine({ type: 'warning', message, ...(hint !== undefined && { hint }) });
      return;
    }
    const { yellow, dim } = styles(this.#streams.stderr);
    this.#progress.above(`${yellow('warning:')} ${message}${hint === undefined ? '' : `\n  ${dim(hint)}`}`);
  }

  endProgress(): void {
    this.#events.flush();
    this.#progress.end();
  }

  /** Tells a failure and gives the exit status. */
  failure(thrown: unknown): number {
    this.endProgress();
    const error = asMossError(thrown);
    const isAbort = error instanceof Error && error.name === 'AbortError';
    const known = error instanceof MossError ? error : isAbort ? new MossError('aborted', 'stopped', { hint: 'Nothing is half done. What had arrived is kept for the next run.' }) : undefined;
    const { stderr, stdout } = this.#streams;
    const message = known?.message ?? (error instanceof Error ? error.message : String(error));
    const code = known?.code ?? 'bug';
    if (this.options.json) {
      stdout.write(`${JSON.stringify({ schema: 'moss.error/1', code, message, hint: known?.hint, data: known?.data ?? {} })}\n`);
      return ERROR_CODES[code].exit;
    }
    const { red, dim } = styles(stderr);
    stderr.write(`${red('error:')} ${message}\n`);
    if (known?.hint !== undefined) stderr.write(`  ${dim(known.hint)}\n`);
    if (known === undefined) stderr.write(`  ${dim('This is a bug in moss. Please report it with these lines:')}\n${error instanceof Error ? error.stack : ''}\n`);
    else if (this.options.verbose) stderr.write(`${dim(`${code} ${JSON.stringify(known.data)}`)}\n${known.stack ?? ''}\n${causeOf(known)}`);
    return ERROR_CODES[code].exit;
  }

  /** One JSON line on stderr, whatever it is about. */
  event(event: { type: string } & Record<string, unknown>): void {
    this.#streams.stderr.write(`${JSON.stringify(event)}\n`);
  }

  #eventLine(event: MossEvent): void {
    this.#events.take(event);
  }
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `caused by: ${error.cause.stack ?? error.cause.message}\n` : '';
}
