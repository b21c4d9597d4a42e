/** A socket of Node (TLS, or a local one) as a stream between peers. */
import type { Socket } from 'node:net';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { Stream } from '../../core/ports/transport.ts';
import { MossError } from '../../core/error.ts';
import { ReadQueue } from '../../core/exchange/read-queue.ts';

/** The socket must allow half-open connections: each direction ends by itself. */
export function socketStream(socket: Socket): Stream {
  const queue = new ReadQueue({ pause: () => socket.pause(), resume: () => socket.resume() });
  socket.on('data', (bytes: Buffer) => queue.push(bytes));
  socket.on('end', () => queue.end());
  socket.on('error', (cause) => queue.fail(broken(cause)));
  socket.on('close', () => queue.fail(broken()));
  return {
    read: (options) => queue.read(options),
    write: (bytes, options) => write(socket, bytes, options),
    lend: (bytes, options) => lend(socket, bytes, options),
    close: async () => {
      if (!socket.destroyed) socket.end();
    },
    abort: (reason) => {
      queue.fail(reason ?? broken());
      socket.destroy();
    },
  };
}

/** Resolves at once while the socket's buffer has room, else when it has been drained. */
async function write(socket: Socket, bytes: Uint8Array, { signal }: AbortOptions = {}): Promise<void> {
  signal?.throwIfAborted();
  if (socket.destroyed || !socket.writable) throw broken(socket.errored ?? undefined);
  if (socket.write(bytes)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      socket.off('drain', onDrain);
      socket.off('close', onClose);
      signal?.removeEventListener('abort', onAbort);
    };
    const onDrain = (): void => {
      settle();
      resolve();
    };
    const onClose = (): void => {
      settle();
      reject(broken(socket.errored ?? undefined));
    };
    const onAbort = (): void => {
      settle();
      reject(signal?.reason);
    };
    socket.on('drain', onDrain);
    socket.on('close', onClose);
    signal?.addEventListener('abort', onAbort);
  });
}

/** Resolves when the kernel has taken the bytes. */
async function lend(socket: Socket, bytes: Uint8Array, { signal }: AbortOptions = {}): Promise<void> {
  signal?.throwIfAborted();
  if (socket.destroyed || !socket.writable) throw broken(socket.errored ?? undefined);
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    socket.write(bytes, (cause) => {
      signal?.removeEventListener('abort', onAbort);
      if (cause == null) resolve();
      else reject(broken(cause));
    });
  });
}

function broken(cause?: unknown): MossError {
  return new MossError('source-failed', 'the connection to a peer broke', { cause });
}
