/** Progress: one line that changes on a terminal, a plain line for each step elsewhere. */
import type { MossEvent } from '../../core/install/event.ts';
import { formatBytes, formatDuration } from './format.ts';

const STEPS: Record<Extract<MossEvent, { type: 'step' }>['step'], string> = {
  resolve: 'Resolving', manifests: 'Reading manifests', resume: 'Taking up what is here', fetch: 'Fetching', store: 'Storing',
  link: 'Linking', seal: 'Sealing', activate: 'Activating', configure: 'Configuring', verify: 'Verifying',
  import: 'Importing', pack: 'Packing', sign: 'Signing',
};
/** Milliseconds between two drawings of the line. */
const REDRAW = 80;
/** Milliseconds over which the rate is measured. */
const RATE_WINDOW = 2000;

interface ProgressOptions {
  stream: NodeJS.WriteStream;
  /** Whether to draw a changing line. */
  line: boolean;
  quiet: boolean;
}

interface Counter {
  total: number;
  done: number;
}

export class Progress {
  readonly #options: ProgressOptions;
  #step = '';
  #stepStart = 0;
  #counters = new Map<string, Counter>();
  readonly #sources = new Map<string, number>();
  #recent: { at: number; bytes: number }[] = [];
  #drawn = false;
  #lastDraw = 0;

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  take(event: MossEvent): void {
    if (this.#options.quiet) return;
    switch (event.type) {
      case 'step':
        this.#finishStep();
        this.#step = STEPS[event.step];
        this.#stepStart = performance.now();
        this.#counters = new Map();
        break;
      case 'total':
        this.#counter(event.unit).total = event.count;
        break;
      case 'done':
        this.#counter(event.unit).done += event.count;
        break;
      case 'received':
        this.#sources.set(event.source, (this.#sources.get(event.source) ?? 0) + event.bytes);
        this.#recent.push({ at: performance.now(), bytes: event.bytes });
        break;
      default:
        return;
    }
    this.#draw();
  }

  /** Writes a line above the progress line. */
  above(text: string): void {
    this.#erase();
    this.#options.stream.write(`${text}\n`);
  }

  end(): void {
    this.#finishStep();
    this.#erase();
    this.#step = '';
  }

  #counter(unit: string): Counter {
    const counter = this.#counters.get(unit) ?? { total: 0, done: 0 };
    this.#counters.set(unit, counter);
    return counter;
  }

  #draw(): void {
    const now = performance.now();
    if (!this.#options.line || this.#step === '' || now - this.#lastDraw < REDRAW) return;
    this.#lastDraw = now;
    const width = Math.max(20, (this.#options.stream.columns || 80) - 1);
    const text = `${this.#step} ${this.#figures(now)}`.slice(0, width);
    this.#options.stream.write(`\r\u001B[2K${text}`);
    this.#drawn = true;
  }

  /** A step that took a noticeable time leaves a line where there is no terminal. */
  #finishStep(): void {
    if (this.#options.line || this.#step === '' || this.#options.quiet) return;
    const now = performance.now();
    const figures = this.#figures(now);
    if (figures !== '' || now - this.#stepStart > 1000) this.above(`${this.#step} ${figures} ${formatDuration(now - this.#stepStart)}`.replaceAll(/ {2,}/g, ' '));
    this.#step = '';
  }

  #figures(now: number): string {
    const parts: string[] = [];
    for (const [unit, { done, total }] of this.#counters) {
      const show = unit === 'bytes' ? formatBytes : (value: number) => `${value.toLocaleString('en')}`;
      const name = unit === 'bytes' ? '' : ` ${unit}`;
      if (total > 0 || done > 0) parts.push(total > 0 ? `${show(Math.min(done, total))} of ${show(total)}${name}` : `${show(done)}${name}`);
    }
    this.#recent = this.#recent.filter(({ at }) => now - at < RATE_WINDOW);
    const rate = this.#recent.reduce((sum, { bytes }) => sum + bytes, 0) / (RATE_WINDOW / 1000);
    if (rate > 0) parts.push(`${formatBytes(rate)}/s`);
    if (this.#sources.size > 0 && this.#step === STEPS.fetch) {
      parts.push([...this.#sources].map(([source, bytes]) => `${source.replace(/^https?:\/\//, '')} ${formatBytes(bytes)}`).join(', '));
    }
    return parts.join(' · ');
  }

  #erase(): void {
    if (!this.#drawn) return;
    this.#options.stream.write('\r\u001B[2K');
    this.#drawn = false;
  }
}
