/**
 * Tickets for the bulk carrier: what the server hands over on an authenticated libp2p stream, so that the next TLS
 * connection is proved to be between the same two peers.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import type { PeerScope } from '../../core/ports/transport.ts';

/** Bytes: port (2), name (16), secret (32). */
export const TICKET_SIZE = 50;
const NAME = 16;
const SECRET = 32;
/** Milliseconds in which a ticket must be used. */
const LIFETIME = 10_000;
/** Tickets that one peer, and all of them, may hold. */
const PER_PEER = 16;
const IN_ALL = 512;

export interface Ticket {
  port: number;
  /** The PSK identity (RFC 8446 section 4.2.11), 32 hex digits: it names the ticket, and is no secret. */
  name: string;
  secret: Uint8Array;
}

/**
 * The pre-shared key of a ticket. Both ids are in it, so that it is of no use between any other two peers, whoever
 * learns the secret.
 */
export function ticketKey({ name, secret }: Ticket, { client, server }: { client: string; server: string }): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, Buffer.from(name, 'hex'), `/moss/bulk/1\0${client}\0${server}`, 32));
}

export function encodeTicket({ port, name, secret }: Ticket): Uint8Array {
  const bytes = Buffer.alloc(TICKET_SIZE);
  bytes.writeUInt16BE(port);
  bytes.write(name, 2, 'hex');
  bytes.set(secret, 2 + NAME);
  return bytes;
}

/** `undefined` for anything but a ticket. */
export function decodeTicket(bytes: Uint8Array): Ticket | undefined {
  if (bytes.length !== TICKET_SIZE) return undefined;
  const buffer = Buffer.from(bytes);
  const port = buffer.readUInt16BE();
  return port === 0 ? undefined : { port, name: buffer.toString('hex', 2, 2 + NAME), secret: buffer.subarray(2 + NAME) };
}

export interface Holder {
  peer: string;
  scope: PeerScope;
}

interface Issued {
  holder: Holder;
  ticket: Ticket;
  expires: number;
}

/** The tickets that a server gave out and that were not used yet. */
export class TicketBook {
  readonly #issued = new Map<string, Issued>();
  readonly #now: () => number;

  /** @param now milliseconds that never go back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A new ticket; `undefined` while the peer, or all peers together, hold too many. */
  issue(holder: Holder, port: number): Ticket | undefined {
    this.#forgetExpired();
    const held = [...this.#issued.values()].filter((each) => each.holder.peer === holder.peer).length;
    if (held >= PER_PEER || this.#issued.size >= IN_ALL) return undefined;
    const ticket = { port, name: randomBytes(NAME).toString('hex'), secret: randomBytes(SECRET) };
    this.#issued.set(ticket.name, { holder, ticket, expires: this.#now() + LIFETIME });
    return ticket;
  }

  /** Takes a ticket out of the book: no name counts twice, whether the handshake then succeeds or not. */
  redeem(name: string): { holder: Holder; ticket: Ticket } | undefined {
    this.#forgetExpired();
    const issued = this.#issued.get(name);
    this.#issued.delete(name);
    return issued;
  }

  #forgetExpired(): void {
    // They all live equally long, so the oldest come first.
    for (const [name, { expires }] of this.#issued) {
      if (expires > this.#now()) return;
      this.#issued.delete(name);
    }
  }
}
