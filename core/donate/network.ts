/** How a donor is connected: a tab's libp2p, or Node's. */
import type { Peer, StreamHandler } from '../ports/transport.ts';
import type { MetadataStore } from '../ports/metadata.ts';

/** A connected peer that speaks moss. */
export interface NetworkPeer extends Peer {
  readonly direction: 'inbound' | 'outbound';
}

export interface NetworkOptions {
  /** Where the identity is kept, by the name `donor-identity`. */
  readonly records: MetadataStore;
  /** Takes the streams that others open. */
  readonly handler: StreamHandler;
  /** A peer came or went, or this donor's own addresses changed. */
  readonly onChange: () => void;
}

export interface DonorNetwork {
  /** A libp2p peer id. */
  readonly id: string;
  /** Where this donor can be reached. */
  readonly addresses: readonly string[];
  readonly peers: readonly NetworkPeer[];
  /** Peers that this network takes at the same time. */
  readonly most: number;
  /**
   * Connects to a peer by its multiaddrs, unless it is connected.
   *
   * @throws MossError `source-failed`
   */
  dial(addresses: readonly string[]): Promise<void>;
  /** Drops a peer, and has no more to do with it. */
  ban(id: string): Promise<void>;
  close(): Promise<void>;
}

/** Connects. Nothing is connected before, or after `close`. */
export type OpenNetwork = (options: NetworkOptions) => Promise<DonorNetwork>;

/** The record with the donor's private key. */
export const IDENTITY = 'donor-identity';
