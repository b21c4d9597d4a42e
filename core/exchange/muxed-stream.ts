/** A stream of libp2p as a stream between peers. */
import { MossError } from '../error.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Stream } from '../ports/transport.ts';
import { abortable } from './abortable.ts';
import { ReadQueue } from './read-queue.ts';

/** A run of bytes, or several one behind the other (`Uint8ArrayList`). */
type Chunk = Uint8Array | Iterable<Uint8Array>;

/** The part of a libp2p stream that is used: written out here, since the core is compiled without any platform's library. */
export interface MuxedStream {
  readonly status: string;
  readonly readStatus: string;
  readonly writeStatus: string;
  readonly readableEnded: boolean;
  addEventListener(type: 'message', listener: (event: { readonly data: Chunk }) => void): void;
  addEventListener(type: 'end' | 'idle', listener: () => void): void;
  addEventListener(type: 'close', listener: (event: { readonly error?: unknown }) => void): void;
  pause(): void;
  resume(): void;
  send(bytes: Uint8Array): boolean;
  /** Bytes that were handed over, and are not with the muxer yet. */
  readonly writeBufferLength: number;
  close(): Promise<void>;
  abort(error: Error): void;
}

export interface MuxedStreamOptions {
  /** Whether the muxer keeps nothing of what it was given, since it sends a copy, as WebRTC does. */
  copies?: boolean;
}

export function muxedStream(stream: MuxedStream, { copies = false }: MuxedStreamOptions = {}): Stream {
  const queue = new ReadQueue({
    pause: () => {
      if (stream.readStatus === 'readable') stream.pause();
    },
    resume: () => {
      if (stream.readStatus === 'paused') stream.resume();
    },
  });
  stream.addEventListener('message', ({ data }) => {
    for (const bytes of data instanceof Uint8Array ? [data] : data) queue.push(bytes);
  });
  // `remoteCloseWrite` comes before what is buffered was handed out; `end` after it.
  stream.addEventListener('end', () => {
    if (stream.status === 'reset' || stream.status === 'aborted') queue.fail(broken());
    else queue.end();
  });
  stream.addEventListener('close', ({ error }) => {
    if (error !== undefined) queue.fail(broken(error));
    else if (stream.readableEnded) queue.end();
  });
  /** Called when nothing is buffered any more, or the stream is over. */
  let settled: (() => void)[] = [];
  const settle = (): void => {
    const waiting = settled;
    settled = [];
    for (const each of waiting) each();
  };
  stream.addEventListener('idle', settle);
  stream.addEventListener('close', settle);
  const idle = ({ signal }: AbortOptions): Promise<void> => abortable(new Promise((resolve) => settled.push(resolve)), signal);
  return {
    read: (options) => queue.read(options),
    write: (bytes, options) => write(stream, bytes, idle, options),
    ...(copies && { lend: (bytes: Uint8Array, options?: AbortOptions) => write(stream, bytes, idle, options) }),
    close: async () => {
      if (stream.writeStatus === 'writable') await stream.close().catch(() => undefined);
    },
    abort: (reason) => {
      queue.fail(reason ?? broken());
      stream.abort(reason instanceof Error ? reason : new Error('aborted'));
    },
  };
}

/**
 * Until the muxer has all of it: what is handed over stays in the stream's buffer, which has no bound, while the window of
 * the other side has no room. `onDrain` of libp2p 3.3 would not do, since after the first time it waits for nothing; nor
 * would the event `drain`, since a window that opens by a byte is one.
 */
async function write(stream: MuxedStream, bytes: Uint8Array, idle: (options: AbortOptions) => Promise<void>, options: AbortOptions = {}): Promise<void> {
  options.signal?.throwIfAborted();
  try {
    stream.send(bytes);
  } catch (cause) {
    throw broken(cause);
  }
  while (stream.writeBufferLength > 0 && stream.writeStatus === 'writable') await idle(options);
  if (stream.status === 'reset' || stream.status === 'aborted') throw broken();
}

function broken(cause?: unknown): MossError {
  return new MossError('source-failed', 'the stream to a peer broke', { cause });
}
