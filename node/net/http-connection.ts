/** A connection to a web server that is kept for one request after the other. */
import { connect, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { AbortSignal } from '../../core/ports/abort.ts';
import { HttpAnswer } from './http-answer.ts';

/** What the kernel has is read into this, by all connections: each read is over before the next one begins. */
const incoming = Buffer.allocUnsafeSlow(64 * 1024);

export class HttpConnection {
  /** Whether anything came since it was last asked. */
  heard = false;
  readonly #socket: Socket;
  readonly #host: string;
  readonly #onIdle: (connection: HttpConnection) => void;
  readonly #onClose: (connection: HttpConnection) => void;
  #answer: HttpAnswer | undefined;
  #answering: PromiseWithResolvers<HttpAnswer> | undefined;
  #forget: (() => void) | undefined;

  constructor(
    { host, hostname, port }: URL,
    { tls, onIdle, onClose }: { tls?: typeof import('node:tls') | undefined; onIdle: (connection: HttpConnection) => void; onClose: (connection: HttpConnection) => void },
  ) {
    this.#host = host;
    this.#onIdle = onIdle;
    this.#onClose = onClose;
    const address = hostname.replace(/^\[(.*)\]$/, '$1');
    const options: TcpNetConnectOpts = {
      host: address,
      port: Number(port) || (tls === undefined ? 80 : 443),
      noDelay: true,
      onread: { buffer: incoming, callback: (count) => this.#came(incoming.subarray(0, count)) },
    };
    // No name is sent of what is a number (RFC 6066, section 3).
    this.#socket = tls === undefined ? connect(options) : tls.connect({ ...options, servername: isIP(address) === 0 ? address : '', ALPNProtocols: ['http/1.1'] });
    this.#socket.on('error', (error) => this.#close(error));
    this.#socket.on('close', () => this.#close(new Error('the server closed the connection')));
  }

  /**
   * Asks for a path; to be called when it is new or idle. The promise rejects with what ended the connection.
   *
   * @throws UnusualAnswer
   */
  get(path: string, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    this.heard = false;
    this.#socket.ref();
    const onAbort = (): void => this.#close(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    this.#forget = () => signal?.removeEventListener('abort', onAbort);
    this.#answer = new HttpAnswer({ onDrained: () => this.#socket.resume(), onCancel: () => this.#close(new Error('it was not read')) });
    this.#answering = Promise.withResolvers();
    this.#socket.write(`GET ${path} HTTP/1.1\r\nhost: ${this.#host}\r\naccept-encoding: identity\r\n\r\n`, 'latin1');
    return this.#answering.promise;
  }

  /** @returns whether more may come now */
  #came(bytes: Buffer): boolean {
    this.heard = true;
    const answer = this.#answer;
    try {
      if (answer === undefined) throw new Error('the server sends what nobody asked for');
      answer.take(bytes);
    } catch (error) {
      this.#close(error);
      return false;
    }
    if (answer.hasHead) this.#answering?.resolve(answer);
    if (!answer.isWhole) return !answer.isFull;
    this.#forget?.();
    this.#answer = undefined;
    // What waits for the next request does not keep the process from ending.
    this.#socket.unref();
    if (answer.stays) this.#onIdle(this);
    else this.#close(new Error('the connection is not kept'));
    return true;
  }

  #close(error: unknown): void {
    this.#forget?.();
    this.#socket.destroy();
    this.#answering?.reject(error);
    this.#answer?.fail(error);
    this.#onClose(this);
  }
}
