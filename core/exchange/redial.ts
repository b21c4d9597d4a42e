/**
 * When an address is dialled again: a peer that could not be reached is tried soon, and then ever less often. It counts for
 * each address by itself, so that a peer which has moved is reached at once where somebody tells its new address.
 */

/** Milliseconds after which an address is tried again: twice as long each time, up to the second. */
const TRY_AGAIN = [4000, 60_000] as const;
/** Peers that are remembered, and addresses of each: a liar could name many. */
const PEERS = 1024;
const ADDRESSES = 32;

interface Tried {
  /** On the caller's clock, in milliseconds. */
  again: number;
  /** Milliseconds. */
  wait: number;
}

export class Redial {
  /** By the peer, then by the address; the longest untried peers come first. */
  readonly #tried = new Map<string, Map<string, Tried>>();

  /** Those of a peer's addresses that are worth dialling now: from then on they count as tried. */
  due(id: string, addresses: readonly string[], now: number): string[] {
    const tried = this.#tried.get(id) ?? new Map<string, Tried>();
    const due = [...new Set(addresses)].slice(0, ADDRESSES).filter((address) => now >= (tried.get(address)?.again ?? 0));
    if (due.length === 0) return [];
    for (const address of due) {
      const before = tried.get(address);
      const wait = before === undefined ? TRY_AGAIN[0] : Math.min(2 * before.wait, TRY_AGAIN[1]);
      tried.delete(address);
      tried.set(address, { again: now + wait, wait });
    }
    forgetOldest(tried, ADDRESSES);
    this.#tried.delete(id);
    this.#tried.set(id, tried);
    forgetOldest(this.#tried, PEERS);
    return due;
  }

  /** A peer is here: it is dialled at once when it is lost. */
  reached(id: string): void {
    this.#tried.delete(id);
  }
}

function forgetOldest(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}
