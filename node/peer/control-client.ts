/** How other commands reach the daemon of their root. */
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { MossError } from '../../core/error.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { Peer, PeerScope, Stream } from '../../core/ports/transport.ts';
import type { Layout } from '../store/layout.ts';
import { dialBulk } from './bulk-client.ts';
import { controlSocket, type ControlRequest, type DaemonStatus, type PeerStatus } from './control.ts';
import { socketStream } from './socket-stream.ts';

/** Milliseconds for an answer. */
const ANSWER = 8000;
/** Bytes of one. */
const MAX_ANSWER = 1024 * 1024;
const NEWLINE = 0x0a;

export class DaemonControl {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The daemon of a root; `undefined` where none runs. */
  static async find(layout: Layout): Promise<DaemonControl | undefined> {
    const path = controlSocket(layout);
    if (!existsSync(path)) return undefined;
    const control = new DaemonControl(path);
    try {
      await control.status();
      return control;
    } catch {
      return undefined;
    }
  }

  async status(): Promise<DaemonStatus> {
    return (await this.#ask({ do: 'status' })) as DaemonStatus;
  }

  async peers(): Promise<PeerStatus[]> {
    return (await this.#ask({ do: 'peers' })) as PeerStatus[];
  }

  async ban(peer: string, reason: string): Promise<void> {
    await this.#ask({ do: 'ban', peer, reason });
  }

  async refresh(): Promise<void> {
    await this.#ask({ do: 'refresh' });
  }

  async reload(): Promise<void> {
    await this.#ask({ do: 'reload' });
  }

  async stop(): Promise<void> {
    await this.#ask({ do: 'stop' });
  }

  /** A stream to a peer: by its bulk carrier from here, else through the daemon. */
  async open(peer: string, options: AbortOptions = {}): Promise<{ stream: Stream; transport: string }> {
    const bulk = await this.#openBulk(peer, options);
    if (bulk !== undefined) return { stream: bulk, transport: 'tls' };
    const socket = await this.#connect();
    const stream = socketStream(socket);
    try {
      const { rest } = await exchange(stream, { do: 'stream', peer }, options);
      return { stream: withFirst(stream, rest), transport: 'daemon' };
    } catch (error) {
      // A socket that nobody ends keeps the process.
      stream.abort(error);
      throw error;
    }
  }

  /** `undefined` where the peer gives no ticket, or its port cannot be reached. */
  async #openBulk(peer: string, options: AbortOptions): Promise<Stream | undefined> {
    let ticket: Record<'host' | 'ticket' | 'client' | 'server', string>;
    try {
      ticket = (await this.#ask({ do: 'ticket', peer }, options)) as typeof ticket;
    } catch {
      options.signal?.throwIfAborted();
      return undefined;
    }
    try {
      return await dialBulk({ ...ticket, ticket: Buffer.from(ticket.ticket, 'base64') }, options);
    } catch {
      options.signal?.throwIfAborted();
      // The next streams need not find that out again.
      this.#ask({ do: 'bulk-failed', peer }).catch(() => undefined);
      return undefined;
    }
  }

  async #ask(request: ControlRequest, options?: AbortOptions): Promise<unknown> {
    const socket = await this.#connect();
    try {
      return (await exchange(socketStream(socket), request, options)).value;
    } finally {
      socket.destroy();
    }
  }

  async #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path: this.#path, allowHalfOpen: true });
      socket.once('connect', () => resolve(socket));
      socket.once('error', (cause) => reject(new MossError('source-failed', 'the daemon does not answer', { cause })));
    });
  }
}

/** A peer that the daemon is connected to. */
export class DaemonPeer implements Peer {
  readonly id: string;
  readonly scope: PeerScope;
  readonly #control: DaemonControl;
  #transport: string;

  constructor(control: DaemonControl, { id, scope, transport }: Pick<PeerStatus, 'id' | 'scope' | 'transport'>) {
    this.id = id;
    this.scope = scope;
    this.#control = control;
    this.#transport = transport;
  }

  get transport(): string {
    return this.#transport;
  }

  async open(options?: AbortOptions): Promise<Stream> {
    const { stream, transport } = await this.#control.open(this.id, options);
    this.#transport = transport;
    return stream;
  }
}

/** Sends a request and reads the line of its answer, and what came with it of the stream that may follow. */
async function exchange(stream: Stream, request: ControlRequest, options?: AbortOptions): Promise<{ value: unknown; rest: Uint8Array }> {
  await stream.write(Buffer.from(`${JSON.stringify(request)}\n`));
  const late = setTimeout(() => stream.abort(new MossError('source-failed', 'the daemon does not answer in time')), ANSWER);
  try {
    let got = Buffer.alloc(0);
    while (!got.includes(NEWLINE)) {
      const bytes = await stream.read(options);
      if (bytes === undefined || got.length > MAX_ANSWER) throw new MossError('source-failed', 'the daemon gave no answer');
      got = Buffer.concat([got, bytes]);
    }
    const end = got.indexOf(NEWLINE);
    const answer = JSON.parse(got.toString('utf8', 0, end)) as { ok: boolean; value?: unknown; message?: string };
    if (!answer.ok) throw new MossError('source-failed', answer.message ?? 'the daemon refused');
    return { value: answer.value, rest: got.subarray(end + 1) };
  } finally {
    clearTimeout(late);
  }
}

/** A stream of which some bytes were read already. */
function withFirst(stream: Stream, first: Uint8Array): Stream {
  let rest: Uint8Array | undefined = first.length > 0 ? first : undefined;
  return {
    read: async (options) => {
      const bytes = rest;
      rest = undefined;
      return bytes ?? stream.read(options);
    },
    write: (bytes, options) => stream.write(bytes, options),
    close: () => stream.close(),
    abort: (reason) => stream.abort(reason),
  };
}
