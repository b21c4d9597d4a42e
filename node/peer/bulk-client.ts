/** The client's end of the bulk carrier. */
import { connect } from 'node:tls';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { Stream } from '../../core/ports/transport.ts';
import { MossError } from '../../core/error.ts';
import { BULK_CIPHER } from './bulk-server.ts';
import { decodeTicket, ticketKey } from './bulk-ticket.ts';
import { socketStream } from './socket-stream.ts';

/** Milliseconds for connecting and the handshake: a port that is filtered must not hold anybody up. */
const DEADLINE = 3000;

export interface BulkOffer {
  /** The address at which the server was proved to be. */
  host: string;
  /** The ticket as it came. */
  ticket: Uint8Array;
  /** This peer's id, and the one of the server that gave the ticket. */
  client: string;
  server: string;
}

/**
 * A connection by a ticket. Only the peer that gave the ticket can complete the handshake: whoever sits in between
 * does not know the key, and a certificate is never taken instead.
 *
 * @throws MossError `source-failed`
 */
export async function dialBulk({ host, ticket: bytes, client, server }: BulkOffer, { signal }: AbortOptions = {}): Promise<Stream> {
  signal?.throwIfAborted();
  const ticket = decodeTicket(bytes);
  if (ticket === undefined) throw new MossError('source-failed', 'a peer gave no valid ticket for its bulk carrier');
  const psk = ticketKey(ticket, { client, server });
  const socket = connect({
    host,
    port: ticket.port,
    minVersion: 'TLSv1.3',
    ciphers: BULK_CIPHER,
    pskCallback: () => ({ psk, identity: ticket.name }),
    // There is no certificate that would be right.
    checkServerIdentity: (_, certificate) => (Object.keys(certificate).length === 0 ? undefined : new Error('a certificate came instead of the key')),
  });
  socket.allowHalfOpen = true;
  await new Promise<void>((resolve, reject) => {
    const fail = (cause?: unknown): void => {
      settle();
      socket.on('error', () => undefined);
      socket.destroy();
      reject(new MossError('source-failed', `the bulk carrier of a peer at ${host}:${ticket.port} cannot be used`, { cause }));
    };
    const onClose = (): void => fail();
    const onAbort = (): void => {
      fail();
      reject(signal?.reason);
    };
    const timer = setTimeout(fail, DEADLINE);
    const settle = (): void => {
      clearTimeout(timer);
      socket.off('error', fail);
      socket.off('close', onClose);
      signal?.removeEventListener('abort', onAbort);
    };
    socket.once('error', fail);
    socket.once('close', onClose);
    signal?.addEventListener('abort', onAbort);
    socket.once('secureConnect', () => {
      if (Object.keys(socket.getPeerCertificate()).length > 0) {
        fail();
        return;
      }
      settle();
      resolve();
    });
  });
  socket.setNoDelay(true);
  return socketStream(socket);
}
