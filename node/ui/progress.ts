/** Progress: one line that changes on a terminal, a plain line for each step elsewhere. */
import type { MossEvent, Unit } from '../../core/install/event.ts';
import { count, formatBytes, formatDuration, formatNumber } from './format.ts';
import { Rate } from '../../core/exchange/rate.ts';

type StepName = Extract<MossEvent, { type: 'step' }>['step'];

const WORDS: Record<StepName, [doing: string, done: string]> = {
  resolve: ['Resolving', 'Resolved'],
  manifests: ['Reading manifests', 'Read manifests'],
  resume: ['Taking up what is here', 'Took up what is here'],
  fetch: ['Fetching', 'Fetched'],
  store: ['Storing', 'Stored'],
  link: ['Linking', 'Linked'],
  seal: ['Sealing', 'Sealed'],
  activate: ['Activating', 'Activated'],
  configure: ['Configuring', 'Configured'],
  verify: ['Verifying', 'Verified'],
  import: ['Importing', 'Imported'],
  pack: ['Packing', 'Packed'],
  deltas: ['Making deltas', 'Made deltas'],
  sign: ['Signing', 'Signed'],
};
/** Milliseconds between two drawings of the line. */
const REDRAW = 80;
/** Milliseconds without an event after which it is drawn all the same, so that a rate falls when nothing comes. */
const IDLE = 500;
/** Milliseconds that a step without figures must take to leave a line of its own. */
const NOTICEABLE = 1000;
/** Sources that are named. */
const NAMED_SOURCES = 3;

interface ProgressOptions {
  stream: Pick<NodeJS.WriteStream, 'write' | 'columns'>;
  /** Whether to draw a changing line. */
  line: boolean;
  quiet: boolean;
}

interface Step {
  name: StepName;
  start: number;
  counters: Map<Unit, { total: number; done: number }>;
  sources: Map<string, number>;
  received: number;
  rate: Rate;
}

export class Progress {
  readonly #options: ProgressOptions;
  #step: Step | undefined;
  #drawn = false;
  #lastDraw = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  take(event: MossEvent): void {
    if (this.#options.quiet) return;
    const now = performance.now();
    if (event.type === 'step') {
      this.#finishStep(true);
      this.#step = { name: event.step, start: now, counters: new Map(), sources: new Map(), received: 0, rate: new Rate() };
    } else if (this.#step !== undefined) add(this.#step, event, now);
    this.#draw(now);
  }

  /** Writes a line above the progress line. */
  above(text: string): void {
    this.#erase();
    this.#options.stream.write(`${text}\n`);
  }

  end(): void {
    this.#finishStep(false);
    this.#erase();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #draw(now: number): void {
    const step = this.#step;
    if (!this.#options.line || step === undefined || now - this.#lastDraw < REDRAW) return;
    this.#lastDraw = now;
    // The last column stays empty: some terminals would go to the next line.
    const width = Math.max(10, (this.#options.stream.columns || 80) - 1);
    // What is left of the longer line before is erased after writing, not before: nothing flickers.
    this.#options.stream.write(`\r${fit(WORDS[step.name][0], figures(step, now), width)}\u001B[K`);
    this.#drawn = true;
    this.#timer ??= setInterval(() => this.#draw(performance.now()), IDLE).unref();
  }

  /** A step leaves a line where there is no terminal: what it did, and how long that took. */
  #finishStep(isComplete: boolean): void {
    const step = this.#step;
    this.#step = undefined;
    if (this.#options.line || step === undefined || this.#options.quiet) return;
    const ms = performance.now() - step.start;
    const parts = summary(step, isComplete, ms);
    if (parts.length > 0 || ms > NOTICEABLE) this.above(`${[WORDS[step.name][isComplete ? 1 : 0], ...parts].join(' ')} in ${formatDuration(ms)}`);
  }

  #erase(): void {
    if (!this.#drawn) return;
    this.#options.stream.write('\r\u001B[K');
    this.#drawn = false;
  }
}

function add(step: Step, event: MossEvent, now: number): void {
  if (event.type === 'total' || event.type === 'done') {
    const counter = step.counters.get(event.unit) ?? { total: 0, done: 0 };
    step.counters.set(event.unit, counter);
    if (event.type === 'total') counter.total = event.count;
    else counter.done += event.count;
  } else if (event.type === 'received') {
    step.sources.set(event.source, (step.sources.get(event.source) ?? 0) + event.bytes);
    step.received += event.bytes;
    step.rate.add(event.bytes, now);
  }
}

/** The figures of the line, the weightiest first: those that do not fit are left out from the end. */
function figures(step: Step, now: number): string[] {
  const parts: string[] = [];
  for (const [unit, { done, total }] of step.counters) {
    const show = unit === 'bytes' ? formatBytes : (value: number) => `${formatNumber(value)} ${unit}`;
    if (total > 0) parts.push(outOf(show(Math.min(done, total)), show(total)));
    else if (done > 0) parts.push(show(done));
  }
  const rate = step.rate.perSecond(now);
  if (step.received > 0) {
    parts.push(`${formatBytes(rate)}/s`);
    const bytes = step.counters.get('bytes');
    const left = bytes === undefined || rate === 0 ? 0 : ((bytes.total - bytes.done) / rate) * 1000;
    if (left > 2000) parts.push(`${formatDuration(Math.ceil(left / 1000) * 1000)} left`);
  }
  const sources = sourceList(step);
  if (sources !== '') parts.push(sources);
  return parts;
}

/** `1.2 of 35.1 MB`, `900 kB of 35.1 MB`: a unit that both have is said once. */
function outOf(done: string, total: string): string {
  const [value = '', ...unit] = done.split(' ');
  return total.endsWith(` ${unit.join(' ')}`) ? `${value} of ${total}` : `${done} of ${total}`;
}

function summary(step: Step, isComplete: boolean, ms: number): string[] {
  const done = (unit: Unit): number => {
    const counter = step.counters.get(unit);
    return counter === undefined ? 0 : isComplete ? Math.max(counter.done, counter.total) : counter.done;
  };
  const parts: string[] = [];
  for (const unit of ['packages', 'files', 'entries', 'blocks'] as const) {
    const singular = unit === 'entries' ? 'entry' : unit.slice(0, -1);
    if (done(unit) > 0) parts.push(count(done(unit), singular, unit));
  }
  if (done('bytes') > 0) parts.push(formatBytes(done('bytes')));
  const facts = parts.length > 0 ? [parts.join(', ')] : [];
  if (step.received > 0 && step.name === 'fetch') facts.push(`at ${formatBytes((step.received / Math.max(1, ms)) * 1000)}/s from ${sourceList(step)}`);
  return facts;
}

/** The sources by what they brought, most first. */
function sourceList({ sources }: Step): string {
  const sorted = [...sources].toSorted((a, b) => b[1] - a[1]);
  const named = sorted.slice(0, NAMED_SOURCES).map(([name, bytes]) => `${shortName(name)} ${formatBytes(bytes)}`);
  return [...named, ...(sorted.length > NAMED_SOURCES ? [`${sorted.length - NAMED_SOURCES} more`] : [])].join(', ');
}

function shortName(source: string): string {
  const host = source.replace(/^https?:\/\//, '');
  return host.length > 32 ? `${host.slice(0, 14)}...${host.slice(-15)}` : host;
}

function fit(word: string, parts: readonly string[], width: number): string {
  for (let keep = parts.length; keep > 0; keep--) {
    const text = `${word}  ${parts.slice(0, keep).join(' · ')}`;
    if (text.length <= width) return text;
  }
  return word.slice(0, width);
}
