/** A stream of libp2p as a stream between peers. */
import type { Stream as Libp2pStream } from '@libp2p/interface';
import { MossError } from '../../core/error.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { Stream } from '../../core/ports/transport.ts';
import { ReadQueue } from './read-queue.ts';

export function muxedStream(stream: Libp2pStream): Stream {
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

async function write(stream: Libp2pStream, bytes: Uint8Array, { signal }: AbortOptions = {}): Promise<void> {
  signal?.throwIfAborted();
  try {
    // What is handed over stays in the stream's buffer until the window of the other side has room.
    // At run time the signal is always the platform's own.
    if (!stream.send(bytes)) await stream.onDrain(signal === undefined ? {} : { signal: signal as AbortSignal });
  } catch (cause) {
    signal?.throwIfAborted();
    throw broken(cause);
  }
}

function broken(cause?: unknown): MossError {
  return new MossError('source-failed', 'the stream to a peer broke', { cause });
}
