/** The peers that a command may ask: those of the root's daemon where one runs, else those that it finds itself. */
import { join } from 'node:path';
import { IncomingRuns } from '../../core/exchange/incoming-runs.ts';
import { PeerSource } from '../../core/exchange/peer-source.ts';
import { TokenBucket } from '../../core/exchange/token-bucket.ts';
import type { Listener } from '../../core/install/event.ts';
import type { Peer } from '../../core/ports/transport.ts';
import { nodeClock } from '../clock.ts';
import type { Settings } from '../config/settings.ts';
import type { Layout } from '../store/layout.ts';
import { nodeCompressor } from '../zstd.ts';
import { AskingPeer } from './asking-peer.ts';
import { DaemonControl, DaemonPeer } from './control-client.ts';
import { PeerBook } from './peer-book.ts';

export interface PeerAccessOptions {
  layout: Layout;
  settings: Settings;
  onEvent: Listener;
  /** Whether to load what asking takes before anybody was found. */
  early?: boolean | undefined;
}

/** Streams to one peer. */
const STREAMS = 2;
/** Milliseconds from the last dial in which a peer that is there was found, and for the whole of the search. */
const SEARCH = 2500;
const LONGEST_SEARCH = 20_000;
/** Milliseconds between two looks: at first, and later. */
const LOOK = 25;
const LOOK_LATER = 500;

/** Where peers come from. */
interface Origin {
  peers: () => Promise<readonly Peer[]>;
  /** Whether some are being dialled. */
  isDialling: () => boolean;
  ban: (id: string, reason: string) => Promise<void>;
  stop: () => Promise<void>;
}

export class PeerAccess {
  readonly #origin: Promise<Origin>;
  readonly #started = performance.now();
  readonly #sources = new Map<string, PeerSource>();
  readonly #banned = new Set<string>();
  /** For what comes from beyond the local network, of all peers together. */
  readonly #rate: TokenBucket | undefined;
  #looking: Promise<void> | undefined;
  #searched: Promise<void> | undefined;
  /** Nobody waits for the search any more: what is left of it must not keep the command. */
  readonly #over = new AbortController();
  /** Bans that are being told. */
  #banning: Promise<unknown> = Promise.resolve();

  /** Starts looking at once, and takes nobody's time: what fails is told as a warning. */
  constructor(options: PeerAccessOptions) {
    const rate = options.settings['download-rate'];
    this.#rate = rate === 0 ? undefined : new TokenBucket(rate, nodeClock);
    this.#origin = findOrigin(options).catch((error: unknown) => {
      options.onEvent({ type: 'warning', message: `no peers are asked: ${error instanceof Error ? error.message : String(error)}` });
      return NOBODY;
    });
  }

  /** The peers that are known by now, as sources; the same ones each time. */
  get sources(): PeerSource[] {
    return [...this.#sources.values()];
  }

  /**
   * Hands each further peer on as a source when it is found, until the function that it gives is called.
   *
   * @param known those that need not be handed on
   */
  join(known: readonly PeerSource[], add: (source: PeerSource) => void): () => void {
    const over = new AbortController();
    const added = new Set(known);
    const look = async (): Promise<void> => {
      for (;;) {
        await this.#look();
        for (const source of this.sources) {
          if (over.signal.aborted || added.has(source)) continue;
          added.add(source);
          add(source);
        }
        await nodeClock.sleep(performance.now() - this.#started < SEARCH ? LOOK : LOOK_LATER, over);
      }
    };
    look().catch(() => undefined);
    return () => over.abort();
  }

  /** Settles once the search has had a fair time: on a busy machine the first connection may take seconds. */
  searched(): Promise<void> {
    // It rejects where it is ended early, and then nobody waits for it.
    return (this.#searched ??= this.#search().catch(() => undefined));
  }

  /** Remembers who sent something wrong. */
  async ban(id: string, reason: string): Promise<void> {
    this.#banned.add(id);
    this.#sources.get(id)?.close();
    this.#sources.delete(id);
    const told = this.#origin.then((origin) => origin.ban(id, reason));
    this.#banning = Promise.allSettled([this.#banning, told]);
    await told;
  }

  async close(): Promise<void> {
    this.#over.abort();
    for (const source of this.#sources.values()) source.close();
    await this.#banning;
    await (await this.#origin).stop();
  }

  async #search(): Promise<void> {
    const origin = await this.#origin;
    if (origin === NOBODY) return;
    let dialled = performance.now();
    for (;;) {
      await this.#look();
      const now = performance.now();
      if (origin.isDialling()) dialled = now;
      if (now - dialled >= SEARCH || now - this.#started >= LONGEST_SEARCH) return;
      await nodeClock.sleep(LOOK, this.#over);
    }
  }

  /** One look at a time, whoever waits for it. */
  async #look(): Promise<void> {
    this.#looking ??= this.#take().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  async #take(): Promise<void> {
    const { peers } = await this.#origin;
    for (const peer of await peers()) {
      if (this.#sources.has(peer.id) || this.#banned.has(peer.id)) continue;
      const source = new PeerSource({ peer, clock: nodeClock, compressor: nodeCompressor, runs: IncomingRuns, streams: STREAMS, rate: this.#rate });
      this.#sources.set(peer.id, source);
      // Its stream is open by the time that something is wanted; whether it answers shows then.
      source.greet().catch(() => undefined);
    }
  }
}

const NOBODY: Origin = {
  peers: async () => [],
  isDialling: () => false,
  ban: async () => undefined,
  stop: async () => undefined,
};

async function findOrigin({ layout, settings, onEvent, early }: PeerAccessOptions): Promise<Origin> {
  if (settings.share === 'off') return NOBODY;
  const daemon = await DaemonControl.find(layout);
  if (daemon !== undefined) {
    return {
      // A daemon that ends meanwhile has no peers.
      peers: async () => (await daemon.peers().catch(() => [])).map((peer) => new DaemonPeer(daemon, peer)),
      isDialling: () => false,
      ban: (id, reason) => daemon.ban(id, reason).catch(() => undefined),
      stop: async () => undefined,
    };
  }
  const onWarning = (message: string): void => onEvent({ type: 'warning', message });
  const asking = new AskingPeer({ layout, settings, scope: settings.share, early: early === true, onWarning });
  return {
    peers: async () => asking.peers,
    isDialling: () => asking.isDialling,
    ban: (id, reason) => asking.ban(id, reason),
    stop: () => asking.stop(),
  };
}

/** The book of a root. */
export function openPeerBook(layout: Layout): PeerBook {
  return new PeerBook(join(layout.peer, 'peers.sqlite'), () => nodeClock.now());
}
