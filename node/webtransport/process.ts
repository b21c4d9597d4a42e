/**
 * The process that listens for WebTransport: QUIC is a library of machine code, which reads what anybody sends. It knows
 * nothing of peers and holds nothing but the certificate's key; each stream goes to the host by a local socket, where its
 * bytes are taken for what they are: those of a stranger.
 */
import { createConnection } from 'node:net';
import { MossError } from '../../core/error.ts';
import { FramedSocket } from './framed-socket.ts';
import type { Order, Report, StreamHeader } from './messages.ts';
import { loadQuiche } from './quiche.ts';
import { QuicServer, type QuicConnection } from './quic-server.ts';
import { Session } from './session.ts';
import type { SessionStream } from './session-stream.ts';

type Listen = Extract<Order, { type: 'listen' }>;

class Gateway {
  readonly #listen: Listen;
  readonly #sessions = new Map<number, { session: Session; connection: QuicConnection }>();
  #server: QuicServer | undefined;
  #last = 0;

  constructor(listen: Listen) {
    this.#listen = listen;
  }

  async begin(): Promise<void> {
    const { host, port, connections, certificate } = this.#listen;
    this.#server = await QuicServer.listen({ quiche: loadQuiche(), host, port, connections, onConnection: (connection) => this.#meet(connection) });
    this.#server.show(certificate);
    report({ type: 'listening', port: this.#server.port });
  }

  obey(order: Order): void {
    if (order.type === 'show') this.#server?.show(order.certificate);
    if (order.type === 'close') this.#sessions.get(order.session)?.session.close();
    if (order.type === 'open') {
      const { session: name, opened } = order;
      const found = this.#sessions.get(name);
      const stream = found?.session.open();
      if (found === undefined || stream === undefined) report({ type: 'unopened', session: name, opened });
      else this.#bring(stream, { session: name, ...found.connection.remote, opened });
    }
  }

  #meet(connection: QuicConnection): Session {
    const name = ++this.#last;
    const session = new Session(connection, {
      path: this.#listen.path,
      onStream: (stream) => this.#bring(stream, { session: name, ...connection.remote }),
      onEnd: () => {
        this.#sessions.delete(name);
        report({ type: 'closed', session: name });
      },
    });
    this.#sessions.set(name, { session, connection });
    return session;
  }

  #bring(stream: SessionStream, header: StreamHeader): void {
    const local = createConnection(this.#listen.socket);
    local.write(`${JSON.stringify(header)}\n`);
    const socket = new FramedSocket(local, {
      onData: (bytes) => {
        if (!stream.write(bytes)) socket.pause();
      },
      onEnd: () => stream.end(),
      onReset: () => stream.reset(),
      onDrain: () => stream.resume(),
    });
    stream.onData = (bytes) => {
      if (!socket.write(bytes)) stream.pause();
    };
    stream.onEnd = () => socket.end();
    stream.onReset = () => socket.reset();
    stream.onDrain = () => socket.resume();
  }
}

function report(message: Report): void {
  if (process.connected) process.send?.(message);
}

let gateway: Gateway | undefined;
// Who started this process is the same program.
process.on('message', (message) => {
  const order = message as Order;
  if (order.type !== 'listen') gateway?.obey(order);
  else {
    gateway = new Gateway(order);
    gateway.begin().catch((error: unknown) => {
      const failure = error instanceof MossError ? error : new MossError('io', error instanceof Error ? error.message : String(error));
      report({ type: 'failed', code: failure.code, message: failure.message, hint: failure.hint });
      process.disconnect();
    });
  }
});
// The host is gone, in whatever way.
process.once('disconnect', () => process.exit());
