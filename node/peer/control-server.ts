/** The daemon's end of the control socket. */
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { MossError } from '../../core/error.ts';
import type { Stream } from '../../core/ports/transport.ts';
import { MAX_LINE, type ControlRequest, type DaemonStatus, type PeerStatus } from './control.ts';
import type { RemotePeer } from './remote-peer.ts';
import { socketStream } from './socket-stream.ts';

/** What the daemon can be asked. */
export interface Controlled {
  status: () => DaemonStatus;
  peers: () => PeerStatus[];
  peer: (id: string) => RemotePeer | undefined;
  ban: (id: string, reason: string) => Promise<void>;
  refresh: () => Promise<void>;
  reload: () => Promise<void>;
  stop: () => void;
}

export class ControlServer {
  readonly #path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** @throws MossError `locked` when a daemon is there already */
  static async listen(path: string, controlled: Controlled): Promise<ControlServer> {
    if (existsSync(path)) {
      if (await answers(path)) throw new MossError('locked', 'a daemon of this root is running already', { hint: 'See `moss share status`.', data: { path } });
      // Left behind by one that was killed.
      rmSync(path);
    }
    const control = new ControlServer(path, controlled);
    await new Promise<void>((resolve, reject) => {
      control.#server.once('error', reject);
      control.#server.listen(path, resolve);
    });
    // Whoever may use the socket may speak for this root.
    chmodSync(path, 0o600);
    return control;
  }

  private constructor(path: string, controlled: Controlled) {
    this.#path = path;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => undefined);
      serve(socket, controlled).catch(() => socket.destroy());
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    rmSync(this.#path, { force: true });
  }
}

async function serve(socket: Socket, controlled: Controlled): Promise<void> {
  const stream = socketStream(socket);
  const reply = (value: unknown): Promise<void> => stream.write(Buffer.from(`${JSON.stringify(value)}\n`));
  try {
    const request = await readRequest(stream);
    if (request.do === 'stream') {
      const remote = await requirePeer(controlled, request.peer).openMuxed();
      await reply({ ok: true });
      await join(stream, remote);
      return;
    }
    await reply({ ok: true, value: await answer(request, controlled) });
    await stream.close();
    // After the answer: they end this connection too.
    if (request.do === 'stop') controlled.stop();
    if (request.do === 'reload') await controlled.reload();
  } catch (error) {
    const known = error instanceof MossError ? error : new MossError('bug', error instanceof Error ? error.message : String(error));
    await reply({ ok: false, code: known.code, message: known.message });
    await stream.close();
  }
}

async function answer(request: Exclude<ControlRequest, { do: 'stream' }>, controlled: Controlled): Promise<unknown> {
  switch (request.do) {
    case 'status':
      return controlled.status();
    case 'peers':
      return controlled.peers();
    case 'ticket': {
      const peer = requirePeer(controlled, request.peer);
      if (!peer.triesBulk) throw new MossError('source-failed', `the bulk carrier of ${peer.id} is left alone`);
      const access = await peer.bulkAccess();
      return { ...access, ticket: Buffer.from(access.ticket).toString('base64') };
    }
    case 'bulk-failed':
      requirePeer(controlled, request.peer).bulkFailed();
      return undefined;
    case 'ban':
      return controlled.ban(request.peer, request.reason);
    case 'refresh':
      return controlled.refresh();
    case 'reload':
    case 'stop':
      return undefined;
  }
}

function requirePeer(controlled: Controlled, id: string): RemotePeer {
  const peer = controlled.peer(id);
  if (peer === undefined) throw new MossError('source-failed', `${id} is not connected`);
  return peer;
}

/** The first line; nothing follows it before the answer. */
async function readRequest(stream: Stream): Promise<ControlRequest> {
  let text = '';
  while (!text.includes('\n')) {
    const bytes = await stream.read();
    if (bytes === undefined || text.length + bytes.length > MAX_LINE) throw new MossError('usage', 'no request');
    text += Buffer.from(bytes).toString('utf8');
  }
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('do' in value)) throw new MossError('usage', 'no request');
  // Only this user can write here, and it is moss that does: what is not known falls through to an error.
  return value as ControlRequest;
}

/** Carries bytes both ways until both directions have ended. */
async function join(a: Stream, b: Stream): Promise<void> {
  try {
    await Promise.all([pump(a, b), pump(b, a)]);
  } catch (error) {
    a.abort(error);
    b.abort(error);
  }
}

async function pump(from: Stream, to: Stream): Promise<void> {
  for (let bytes = await from.read(); bytes !== undefined; bytes = await from.read()) await to.write(bytes);
  await to.close();
}

/** Whether somebody listens. */
async function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
