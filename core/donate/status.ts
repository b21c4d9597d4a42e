/** What a donor does, as a value: all that a page or a terminal has to show. */
import type { IdleReason } from './conditions.ts';

export type DonorState =
  /** Not started, or stopped: nothing is connected, and nothing is asked for. */
  | { readonly state: 'off' }
  /** Brings the signed metadata up to date, and looks for peers. */
  | { readonly state: 'connecting' }
  /** Fetches blocks that it is to hold, and serves what it has. */
  | { readonly state: 'filling' }
  | { readonly state: 'serving' }
  /** Nothing goes in or out, and nobody is connected. */
  | { readonly state: 'idle'; readonly reason: IdleReason }
  /** It tries again by itself; what it holds already is served meanwhile. */
  | { readonly state: 'failing'; readonly failure: DonorFailure };

/** A `MossError` as it is told: `code` is one of `docs/errors.md`. The words are English, and may hold a name or a URL. */
export interface DonorFailure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

export interface DonorPeer {
  /** Proved, a libp2p peer id. */
  readonly id: string;
  /** `webrtc-direct`, `websocket`, `webtransport`, `webrtc` (browser to browser), `tcp`, `relay`. */
  readonly transport: string;
  /** Who dialled: `outbound` is this donor. */
  readonly direction: 'inbound' | 'outbound';
  /** Bytes of content that went to it, and that came from it, since this donor was started. */
  readonly sent: number;
  readonly received: number;
}

export interface HeldPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Bytes of its blocks that are here, and of all that are to be here; equal once it is held whole. */
  readonly held: number;
  readonly bytes: number;
}

export interface Filling {
  /** Bytes of blocks that are here, of those that were chosen. */
  readonly done: number;
  readonly total: number;
  /** Bytes a second that come in. */
  readonly rate: number;
}

export type DonorStatus = DonorState & {
  /** The repository's own name, once its metadata was verified. */
  readonly repository?: { readonly name: string; readonly revision: number; readonly fingerprint: string } | undefined;
  /** Its own id among peers, once it has one. */
  readonly id?: string | undefined;
  /** Addresses at which it can be reached, such as by way of a relay. */
  readonly addresses: readonly string[];
  /** Bytes a second that go out just now, and the most that may; 0: no limit. */
  readonly rate: number;
  readonly limit: number;
  /** Bytes that went out: ever, and this calendar month, and the most that may in a month (0: no limit). */
  readonly given: number;
  readonly month: number;
  readonly allowance: number;
  /** Bytes of blocks that are stored, and the most that may be. */
  readonly stored: number;
  readonly quota: number;
  /** Connected peers, and how many peers were ever given something. */
  readonly peers: readonly DonorPeer[];
  readonly helped: number;
  /** In the order in which they were chosen. */
  readonly held: readonly HeldPackage[];
  /** `undefined` until it is known what to hold. */
  readonly filling?: Filling | undefined;
};

export const OFF: DonorStatus = {
  state: 'off',
  addresses: [],
  rate: 0,
  limit: 0,
  given: 0,
  month: 0,
  allowance: 0,
  stored: 0,
  quota: 0,
  peers: [],
  helped: 0,
  held: [],
};
