/** A stream of libp2p as a stream between peers. */
import { MossError } from '../error.ts';
import type { AbortOptions, AbortSignal } from '../ports/abort.ts';
import type { Stream } from '../ports/transport.ts';
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
  addEventListener(type: 'end', listener: () => void): void;
  addEventListener(type: 'close', listener: (event: { readonly error?: unknown }) => void): void;
  pause(): void;
  resume(): void;
  send(bytes: Uint8Array): boolean;
  onDrain(options?: { signal?: AbortSignal }): Promise<void>;
  close(): Promise<void>;
  abort(error: Error): void;
}

export function muxedStream(stream: MuxedStream): Stream {
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
  return {
    read: (options) => queue.read(options),
    write: (bytes, options) => write(stream, bytes, options),
    close: async () => {
      if (stream.writeStatus === 'writable') await stream.close().catch(() => undefined);
    },
    abort: (reason) => {
      queue.fail(reason ?? broken());
      stream.abort(reason instanceof Error ? reason : new Error('aborted'));
    },
  };
}

async function write(stream: MuxedStream, bytes: Uint8Array, { signal }: AbortOptions = {}): Promise<void> {
  signal?.throwIfAborted();
  try {
    // What is handed over stays in the stream's buffer until the window of the other side has room.
    if (!stream.send(bytes)) await stream.onDrain(signal === undefined ? {} : { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw broken(cause);
  }
}

function broken(cause?: unknown): MossError {
  return new MossError('source-failed', 'the stream to a peer broke', { cause });
}
