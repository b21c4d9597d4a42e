/** Events as JSON lines: what came from a source in one line for all of a moment, however many reads brought it. */
import type { MossEvent } from '../../core/install/event.ts';

type Received = Extract<MossEvent, { type: 'received' }>;

/** Milliseconds between two lines about one source. */
const INTERVAL = 100;

export class EventLines {
  readonly #write: (event: MossEvent) => void;
  readonly #received = new Map<string, Received>();
  #timer: NodeJS.Timeout | undefined;

  constructor(write: (event: MossEvent) => void) {
    this.#write = write;
  }

  take(event: MossEvent): void {
    if (event.type !== 'received') {
      // Steps stand where they belong; what is done comes with every block, and must not bring a line of the other kind.
      if (event.type !== 'done') this.flush();
      this.#write(event);
      return;
    }
    const key = `${event.kind} ${event.source}`;
    this.#received.set(key, { ...event, bytes: event.bytes + (this.#received.get(key)?.bytes ?? 0) });
    this.#timer ??= setTimeout(() => this.flush(), INTERVAL).unref();
  }

  /** Writes what was gathered. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const event of this.#received.values()) this.#write(event);
    this.#received.clear();
  }
}
