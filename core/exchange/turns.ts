/**
 * Turns at sending, fair over peers: who has sent least goes next, however many streams and wants it has (start-time
 * fair queueing, Goyal, Vin and Cheng 1996).
 */

/** Bytes that a turn is taken to have until it says what it had. */
const USUAL_COST = 64 * 1024;
/** Peers that are remembered before those that are no longer ahead are forgotten. */
const REMEMBERED = 1024;

interface Waiting {
  peer: string;
  start: (turn: Turn) => void;
}

export interface Turn {
  /** Ends the turn. @param bytes what was sent in it */
  end(bytes: number): void;
}

export class Turns {
  readonly #slots: number;
  #busy = 0;
  /** Where the queue is: the least that a peer may have. */
  #now = 0;
  readonly #sent = new Map<string, number>();
  readonly #waiting: Waiting[] = [];

  /** @param slots turns at the same time */
  constructor(slots: number) {
    this.#slots = slots;
  }

  /** Waits for a turn. */
  take(peer: string): Promise<Turn> {
    return new Promise((start) => {
      this.#waiting.push({ peer, start });
      this.#grant();
    });
  }

  #grant(): void {
    while (this.#busy < this.#slots && this.#waiting.length > 0) {
      const at = this.#first();
      const [next] = this.#waiting.splice(at, 1);
      if (next === undefined) return;
      const { peer } = next;
      const from = Math.max(this.#now, this.#sent.get(peer) ?? 0);
      this.#now = from;
      this.#forget();
      this.#sent.set(peer, from + USUAL_COST);
      this.#busy++;
      next.start({
        end: (bytes) => {
          this.#sent.set(peer, (this.#sent.get(peer) ?? this.#now) - USUAL_COST + bytes);
          this.#busy--;
          this.#grant();
        },
      });
    }
  }

  /** Of those who wait, the one who has sent least; among equals the one who waits longest. */
  #first(): number {
    let best = 0;
    let least = Infinity;
    for (const [i, { peer }] of this.#waiting.entries()) {
      const sent = Math.max(this.#now, this.#sent.get(peer) ?? 0);
      if (sent < least) [best, least] = [i, sent];
    }
    return best;
  }

  #forget(): void {
    if (this.#sent.size <= REMEMBERED) return;
    for (const [peer, sent] of this.#sent) if (sent <= this.#now) this.#sent.delete(peer);
  }
}
