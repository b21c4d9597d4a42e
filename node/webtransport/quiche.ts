/**
 * QUIC (RFC 9000) by Cloudflare's quiche, as `@matrixai/quic` builds it for Node: a package that is
 * nothing but the built library, and optional. Only the calls that are used are declared here.
 */
import { createRequire } from 'node:module';
import { MossError } from '../../core/error.ts';

export interface HostPort {
  host: string;
  port: number;
}

export interface QuicheConfig {
  setApplicationProtos(protocols: string[]): void;
  setMaxIdleTimeout(milliseconds: number): void;
  setMaxRecvUdpPayloadSize(bytes: number): void;
  setMaxSendUdpPayloadSize(bytes: number): void;
  setInitialMaxData(bytes: number): void;
  setInitialMaxStreamDataBidiLocal(bytes: number): void;
  setInitialMaxStreamDataBidiRemote(bytes: number): void;
  setInitialMaxStreamDataUni(bytes: number): void;
  setInitialMaxStreamsBidi(streams: number): void;
  setInitialMaxStreamsUni(streams: number): void;
  setMaxStreamWindow(bytes: number): void;
  setMaxConnectionWindow(bytes: number): void;
  setDisableActiveMigration(is: boolean): void;
  enablePacing(is: boolean): void;
  enableDgram(is: boolean, receive: number, send: number): void;
}

/** Calls that have nothing to do give `null`; those that fail throw. */
export interface QuicheConnection {
  recv(packet: Uint8Array, info: { from: HostPort; to: HostPort }): number;
  send(into: Uint8Array): [number, unknown] | null;
  streamRecv(stream: number, into: Uint8Array): [number, boolean] | null;
  streamSend(stream: number, bytes: Uint8Array, end: boolean): number | null;
  /** @param direction 0: it is not read any more; 1: not written */
  streamShutdown(stream: number, direction: 0 | 1, code: number): void;
  streamCapacity(stream: number): number;
  peerStreamsLeftBidi(): number;
  readable(): Iterable<number>;
  writable(): Iterable<number>;
  dgramRecvVec(): Uint8Array | null;
  dgramRecvQueueLen(): number;
  /** Milliseconds until `onTimeout` is due. */
  timeout(): number | null;
  onTimeout(): void;
  close(isOfApplication: boolean, code: number, reason: Uint8Array): void;
  isEstablished(): boolean;
  isClosed(): boolean;
  isDraining(): boolean;
  sendAckEliciting(): void;
}

export interface Quiche {
  Config: { withBoringSslCtx(verifyPeer: boolean, verifyAllowFail: boolean, ca: null, keys: Uint8Array[], certificates: Uint8Array[], algorithms: null): QuicheConfig };
  Connection: { accept(id: Uint8Array, original: null, local: HostPort, remote: HostPort, config: QuicheConfig): QuicheConnection };
  Header: { fromSlice(packet: Uint8Array, idLength: number): { ty: number; version: number; dcid: Uint8Array; scid: Uint8Array } };
  versionIsSupported(version: number): boolean;
  negotiateVersion(scid: Uint8Array, dcid: Uint8Array, into: Uint8Array): number;
}

/** The version of the packages that were tried. */
const VERSION = '2.0.9';

/** @throws MossError `unsupported` where the package is not installed, or there is none for this platform */
export function loadQuiche(platform = `${process.platform}-${process.arch}`): Quiche {
  const name = `@matrixai/quic-${platform}`;
  try {
    const loaded: Quiche = createRequire(import.meta.url)(name);
    return loaded;
  } catch (cause) {
    throw new MossError('unsupported', `WebTransport needs the package ${name}, which is not here`, {
      hint: `Where it exists for this platform: \`npm install --no-save ${name}@${VERSION}\` in the directory of moss.`,
      cause,
    });
  }
}
