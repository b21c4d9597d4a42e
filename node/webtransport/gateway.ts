/** The host's side of the process that listens for WebTransport: starts it, starts it again, and takes its streams. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MossError } from '../../core/error.ts';
import { workerUrl } from '../threads/pool.ts';
import type { Order, Report, ShownCertificate, StreamHeader } from './messages.ts';

/** Milliseconds until a process that ended is started again, and how often in one life of the host. */
const PAUSE = 5000;
const STARTS = 20;
/** Milliseconds for starting, and for opening a stream. */
const START = 10_000;
const OPEN = 5000;
const MOST_HEADER = 512;

/** One browser, as the process tells of it. */
export interface GatewaySession {
  readonly host: string;
  readonly port: number;
  /** The browser has opened a stream. */
  onStream: (socket: Socket) => void;
  onClosed: () => void;
  /** @throws Error when the browser takes no more streams */
  open(): Promise<Socket>;
  close(): void;
}

export interface GatewayOptions {
  host: string;
  /** 0: any that is free. */
  port: number;
  path: string;
  connections: number;
  certificate: ShownCertificate;
  /** A browser has opened its first stream, which comes by `onStream`. */
  onSession: (session: GatewaySession) => void;
  onWarning: (message: string) => void;
  /** Milliseconds until a process that ended is started again. */
  pause?: number | undefined;
}

class Session implements GatewaySession {
  readonly host: string;
  readonly port: number;
  onStream: (socket: Socket) => void = (socket) => socket.destroy();
  onClosed: () => void = () => undefined;
  readonly opening = new Map<number, PromiseWithResolvers<Socket>>();
  readonly #id: number;
  readonly #order: (order: Order) => void;
  #last = 0;

  constructor({ session, host, port }: StreamHeader, order: (order: Order) => void) {
    this.#id = session;
    this.#order = order;
    this.host = host;
    this.port = port;
  }

  async open(): Promise<Socket> {
    const opened = ++this.#last;
    const answer = Promise.withResolvers<Socket>();
    this.opening.set(opened, answer);
    const late = setTimeout(() => answer.reject(new Error('the process for WebTransport opens no stream')), OPEN);
    this.#order({ type: 'open', session: this.#id, opened });
    return answer.promise.finally(() => {
      clearTimeout(late);
      this.opening.delete(opened);
    });
  }

  close(): void {
    this.#order({ type: 'close', session: this.#id });
  }

  end(): void {
    for (const { reject } of this.opening.values()) reject(new Error('the session has ended'));
    this.onClosed();
  }
}

export class Gateway {
  readonly #options: GatewayOptions;
  readonly #directory: string;
  readonly #server: Server;
  readonly #sessions = new Map<number, Session>();
  #certificate: ShownCertificate;
  #process: ChildProcess | undefined;
  #again: NodeJS.Timeout | undefined;
  #port: number;
  #starts = 0;
  #isClosed = false;

  /** @throws MossError `unsupported` where the library is not installed; `io` where the port cannot be had */
  static async start(options: GatewayOptions): Promise<Gateway> {
    // Of this user alone, as `mkdtemp` makes it.
    const directory = mkdtempSync(join(tmpdir(), 'moss-webtransport-'));
    const server = createServer();
    const gateway = new Gateway(options, directory, server);
    try {
      const listening = once(server, 'listening');
      server.listen(gateway.#socket);
      await listening;
      await gateway.#begin();
    } catch (error) {
      await gateway.close();
      throw error;
    }
    return gateway;
  }

  private constructor(options: GatewayOptions, directory: string, server: Server) {
    this.#options = options;
    this.#directory = directory;
    this.#server = server;
    this.#port = options.port;
    this.#certificate = options.certificate;
    server.on('connection', (socket) => this.#receive(socket));
  }

  get port(): number {
    return this.#port;
  }

  /** Of the process, for those who look at it. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** The certificate that is shown from now on. */
  show(certificate: ShownCertificate): void {
    this.#certificate = certificate;
    this.#order({ type: 'show', certificate });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#again);
    const child = this.#process;
    this.#lose();
    if (child?.connected === true) {
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    }
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get #socket(): string {
    return process.platform === 'win32' ? `\\\\.\\pipe\\${this.#directory.replaceAll(/[\\:]/g, '-')}` : join(this.#directory, 'streams');
  }

  async #begin(): Promise<void> {
    const { host, path, connections } = this.#options;
    const child = fork(workerUrl(import.meta.url, './process'), { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ready = Promise.withResolvers<number>();
    const late = setTimeout(() => ready.reject(new Error('the process does not start')), START);
    child.on('message', (message) => {
      // It is the same program that answers.
      const report = message as Report;
      if (report.type === 'listening') ready.resolve(report.port);
      else if (report.type === 'failed') ready.reject(new MossError(report.code, report.message, report.hint === undefined ? {} : { hint: report.hint }));
      else this.#told(report);
    });
    child.once('error', (error) => ready.reject(error));
    child.once('exit', (code, signal) => {
      ready.reject(new Error(`the process ended with ${signal ?? code}`));
      if (this.#process === child) this.#broke(String(signal ?? code));
    });
    child.send({ type: 'listen', host, port: this.#port, socket: this.#socket, path, connections, certificate: this.#certificate } satisfies Order);
    try {
      this.#port = await ready.promise;
      if (this.#isClosed) child.disconnect();
      else this.#process = child;
    } catch (error) {
      child.kill('SIGKILL');
      throw error instanceof MossError ? error : new MossError('io', `nobody listens for WebTransport: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    } finally {
      clearTimeout(late);
    }
  }

  /** Whatever it was, the host goes on. */
  #broke(how: string): void {
    this.#lose();
    if (this.#isClosed) return;
    const isLast = ++this.#starts >= STARTS;
    this.#options.onWarning(`the process for WebTransport ended with ${how}${isLast ? ', and is not started again' : ''}`);
    if (isLast) return;
    this.#again = setTimeout(() => {
      this.#begin().catch((error: unknown) => this.#broke(String(error)));
    }, this.#options.pause ?? PAUSE);
  }

  #lose(): void {
    this.#process = undefined;
    for (const session of this.#sessions.values()) session.end();
    this.#sessions.clear();
  }

  #order(order: Order): void {
    if (this.#process?.connected === true) this.#process.send(order);
  }

  #told(report: Exclude<Report, { type: 'listening' | 'failed' }>): void {
    const session = this.#sessions.get(report.session);
    if (report.type === 'unopened') session?.opening.get(report.opened)?.reject(new Error('the browser takes no more streams'));
    else {
      this.#sessions.delete(report.session);
      session?.end();
    }
  }

  /** Reads the line that a stream begins with. */
  #receive(socket: Socket): void {
    let line = Buffer.alloc(0);
    const late = setTimeout(() => socket.destroy(), OPEN);
    const read = (bytes: Buffer): void => {
      line = Buffer.concat([line, bytes]);
      const end = line.indexOf(0x0a);
      if (end < 0 && line.length < MOST_HEADER) return;
      clearTimeout(late);
      socket.off('data', read);
      socket.pause();
      if (end < 0) {
        socket.destroy();
        return;
      }
      socket.unshift(line.subarray(end + 1));
      // The process of our own wrote it.
      this.#take(socket, JSON.parse(line.subarray(0, end).toString()) as StreamHeader);
    };
    socket.on('data', read);
    socket.on('error', () => undefined);
  }

  #take(socket: Socket, header: StreamHeader): void {
    const known = this.#sessions.get(header.session);
    if (header.opened !== undefined) {
      const opening = known?.opening.get(header.opened);
      if (opening === undefined) socket.destroy();
      else opening.resolve(socket);
      return;
    }
    const session = known ?? new Session(header, (order) => this.#order(order));
    if (known === undefined) {
      this.#sessions.set(header.session, session);
      this.#options.onSession(session);
    }
    session.onStream(socket);
  }
}
