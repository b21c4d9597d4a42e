/**
 * Peers and the byte streams between them. A carrier (libp2p, native TLS, WebRTC, the simulated network) authenticates
 * the other side before it hands a stream on: `Peer.id` is proved, what it says is not.
 */
import type { AbortOptions } from './abort.ts';

/** How far a peer is: what the user agreed to, and which limits hold, depends on it. */
export type PeerScope = 'lan' | 'swarm';

/** Bytes both ways, in order. */
export interface Stream {
  /** The next bytes, never empty; `undefined` when the other side has ended its direction. Rejects after a reset. */
  read(options?: AbortOptions): Promise<Uint8Array | undefined>;
  /** Resolves when the carrier takes more: that is the backpressure. The bytes are the carrier's from then on. */
  write(bytes: Uint8Array, options?: AbortOptions): Promise<void>;
  /** The same, but resolves when the bytes may be used again. Where it is missing, they are the carrier's for good. */
  lend?(bytes: Uint8Array, options?: AbortOptions): Promise<void>;
  /** Ends this direction, after what was written. */
  close(): Promise<void>;
  /** Ends both directions at once; what waits rejects with `reason`. Never throws. */
  abort(reason?: unknown): void;
}

export interface Peer {
  /** The proved identity, in the form of the carrier's network: a libp2p peer id. */
  readonly id: string;
  readonly scope: PeerScope;
  /** The carrier's name, to be shown: `tls`, `tcp`, `websocket`, `webrtc-direct`, `webtransport`, `relay`, `memory`. */
  readonly transport: string;
  /**
   * A new stream for `/moss/exchange/1`.
   *
   * @throws MossError `source-failed` when the peer cannot be reached before the deadline of the carrier
   */
  open(options?: AbortOptions): Promise<Stream>;
}

/** Takes the streams that others open. The handler owns the stream; a rejection resets it. */
export type StreamHandler = (stream: Stream, from: Omit<Peer, 'open'>) => Promise<void>;
