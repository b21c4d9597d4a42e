/** What a host and its process for WebTransport tell one another. */
import type { ErrorCode } from '../../core/error.ts';

/** To the process. */
export type Order =
  /** The first: where to listen, and the local socket to which each stream is brought. */
  | { type: 'listen'; host: string; port: number; socket: string; path: string; connections: number; certificate: ShownCertificate }
  | { type: 'show'; certificate: ShownCertificate }
  /** Open a stream to the browser; it comes by the local socket with this number. */
  | { type: 'open'; session: number; opened: number }
  | { type: 'close'; session: number };

/** From the process. */
export type Report =
  | { type: 'listening'; port: number }
  | { type: 'failed'; code: ErrorCode; message: string; hint: string | undefined }
  /** The stream that was asked for cannot be opened. */
  | { type: 'unopened'; session: number; opened: number }
  | { type: 'closed'; session: number };

export interface ShownCertificate {
  /** PEM. */
  pem: string;
  privateKey: string;
}

/** The first line on each connection to the local socket, in JSON; the stream follows, as `FramedSocket` writes it. */
export interface StreamHeader {
  session: number;
  /** Of the browser. */
  host: string;
  port: number;
  /** The number of the order; without it, the browser has opened the stream. */
  opened?: number | undefined;
}
