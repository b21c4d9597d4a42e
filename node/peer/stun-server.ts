/**
 * Tells those who ask under which address and port they are seen (STUN, RFC 8489, the binding request alone): what two
 * peers behind routers need to meet. A relay answers on the UDP port with the number of its TCP port, so that whoever is
 * connected to the relay knows where to ask, and nobody learns an address but the relay that sees it anyway.
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4, isIPv6 } from 'node:net';

const BINDING_REQUEST = 0x0001;
const BINDING_SUCCESS = 0x0101;
const MAGIC_COOKIE = 0x2112_a442;
const XOR_MAPPED_ADDRESS = 0x0020;
const HEADER = 20;
/** Bytes of a request: a client of ICE sends 20, and some attributes. */
const MAX_REQUEST = 548;

export class StunServer {
  readonly #socket: Socket;

  /** @throws Error when the port cannot be had */
  static async listen({ host, port }: { host: string; port: number }): Promise<StunServer> {
    // Of both kinds, where it is to be all addresses and the machine has IPv6.
    if (host === '0.0.0.0' || host === '::') return new StunServer(await bound('udp6', '::', port).catch(() => bound('udp4', '0.0.0.0', port)));
    return new StunServer(await bound(isIPv6(host) ? 'udp6' : 'udp4', host, port));
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    // One answer for each question, of 32 or 44 bytes: nothing that others could be flooded with.
    socket.on('message', (request, { address, port }) => {
      const response = answerTo(request, { address, port });
      if (response !== undefined) socket.send(response, port, address, () => undefined);
    });
    socket.on('error', () => undefined);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}

async function bound(type: 'udp4' | 'udp6', host: string, port: number): Promise<Socket> {
  const socket = createSocket(type);
  socket.bind(port, host);
  await once(socket, 'listening');
  return socket;
}

/** The answer to a binding request; `undefined` for anything else. */
export function answerTo(request: Uint8Array, { address, port }: { address: string; port: number }): Uint8Array | undefined {
  if (request.length < HEADER || request.length > MAX_REQUEST) return undefined;
  const asked = Buffer.from(request.buffer, request.byteOffset, request.length);
  if (asked.readUInt16BE(0) !== BINDING_REQUEST || asked.readUInt16BE(2) !== asked.length - HEADER || asked.readUInt32BE(4) !== MAGIC_COOKIE) return undefined;
  const host = bytesOf(address.replace(/^::ffff:(?=\d+\.)/, '').replace(/%.*$/, ''));
  const response = Buffer.alloc(HEADER + 8 + host.length);
  response.writeUInt16BE(BINDING_SUCCESS, 0);
  response.writeUInt16BE(8 + host.length, 2);
  // The cookie and the transaction, which also are what the address is masked with: routers are known to rewrite addresses.
  asked.copy(response, 4, 4, HEADER);
  response.writeUInt16BE(XOR_MAPPED_ADDRESS, HEADER);
  response.writeUInt16BE(4 + host.length, HEADER + 2);
  response.writeUInt8(host.length === 4 ? 1 : 2, HEADER + 5);
  response.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), HEADER + 6);
  host.forEach((byte, i) => response.writeUInt8(byte ^ (asked[4 + i] ?? 0), HEADER + 8 + i));
  return response;
}

/** The 4 or 16 bytes of an address. */
function bytesOf(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const [before, after] = [wordsOf(head), wordsOf(tail ?? '')];
  const all = [...before, ...Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => 0), ...after];
  return Uint8Array.from(all.flatMap((word) => [word >> 8, word & 0xff]));
}

function wordsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
}
