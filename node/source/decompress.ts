import { Readable, type Transform } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import xz from 'xz-decompress';
import type { Place } from './place.ts';

export type Compression = 'none' | 'gzip' | 'xz' | 'zstd';

/** Bytes of one piece of output. */
const PIECE = 256 * 1024;

export interface DecompressSettings {
  compression: Compression;
  /** Bytes that go in, where that is known: then none may be left over. */
  size?: number | undefined;
  /** Base-2 logarithm of the most memory that a zstd frame may ask for. */
  maxWindowLog?: number | undefined;
}

/** What dpkg takes too: `ZSTD_WINDOWLOG_LIMIT_DEFAULT`, 128 MiB. */
const DEFAULT_WINDOW_LOG = 27;

/**
 * Unpacks a stream. Its output is not bounded: whoever reads it stops at a limit. Memory is: 32 KiB of history for
 * gzip, 64 MiB for xz (a limit that the library was built with), `2 ** maxWindowLog` for zstd.
 *
 * @throws MossError `bad-package` for corrupt or truncated data, `unsupported` for xz with other filters than LZMA2
 */
export function decompress(
  chunks: AsyncIterable<Uint8Array>,
  settings: DecompressSettings,
  place: Place,
): AsyncIterable<Uint8Array> {
  switch (settings.compression) {
    case 'none':
      return chunks;
    case 'gzip':
      return throughZlib(chunks, createGunzip({ chunkSize: PIECE }), settings, place);
    case 'zstd': {
      const params = { [constants.ZSTD_d_windowLogMax]: settings.maxWindowLog ?? DEFAULT_WINDOW_LOG };
      return throughZlib(chunks, createZstdDecompress({ chunkSize: PIECE, params }), settings, place);
    }
    case 'xz':
      return throughXz(chunks, place);
  }
}

async function* throughZlib(
  chunks: AsyncIterable<Uint8Array>,
  engine: Transform & { bytesWritten: number },
  { compression, size }: DecompressSettings,
  place: Place,
): AsyncGenerator<Uint8Array, void, undefined> {
  const source = Readable.from(chunks, { objectMode: false, highWaterMark: 2 * PIECE });
  let sourceError: unknown;
  source.on('error', (error) => {
    sourceError = error;
    engine.destroy(error);
  });
  source.pipe(engine);
  let offset = 0;
  try {
    for await (const piece of engine) {
      if (!(piece instanceof Uint8Array)) continue;
      offset += piece.length;
      yield piece;
    }
    if (size !== undefined && engine.bytesWritten < size) {
      throw place.bad(`${size - engine.bytesWritten} bytes follow the ${compression} data`, { offset });
    }
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    throw isZlibError(error) ? place.bad(`its ${compression} data is corrupt or truncated (${error.message})`, { offset }, error) : error;
  } finally {
    source.destroy();
    engine.destroy();
  }
}

/** The messages of zlib and zstd: their codes start with `Z`. */
function isZlibError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z');
}

/** `enum xz_ret` of XZ Embedded, which the library's messages end with. */
const XZ_REASONS: Readonly<Record<string, string>> = {
  2: 'an integrity check that is not supported',
  3: 'no memory is left',
  4: 'it asks for more than 64 MiB of memory',
  5: 'it is no xz data',
  6: 'it uses a filter or check that is not supported',
  7: 'it is corrupt',
  8: 'it is truncated or corrupt',
};

/**
 * The library reads all streams and the padding between them (xz file format 2). What fails in its source it reports
 * as its own error: so that is kept aside.
 */
async function* throughXz(chunks: AsyncIterable<Uint8Array>, place: Place): AsyncGenerator<Uint8Array, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  let sourceError: unknown;
  const source = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await iterator.next();
        if (next.done === true) {
          controller.close();
          return;
        }
        controller.enqueue(next.value);
      } catch (error) {
        sourceError = error;
        throw error;
      }
    },
  });
  const reader = new xz.XzReadableStream(source).getReader();
  let offset = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      offset += value.length;
      if (value.length > 0) yield value;
    }
  } catch (error) {
    if (sourceError !== undefined) throw sourceError;
    throw xzError(error, place, offset);
  } finally {
    await reader.cancel().catch(() => undefined);
    await iterator.return?.();
  }
}

function xzError(error: unknown, place: Place, offset: number): unknown {
  if (!(error instanceof Error) || error.name === 'MossError') return error;
  const code = /error code (\d+)$/.exec(error.message)?.[1];
  const reason = code === undefined ? undefined : XZ_REASONS[code];
  if (code === '2' || code === '4' || code === '6') return place.unsupported(`its xz data cannot be read: ${reason}`, { offset });
  // Without a code it is a TypeError for input that ended, or a trap within the library's WebAssembly.
  return place.bad(`its xz data cannot be read: ${reason ?? 'it is truncated or corrupt'}`, { offset }, error);
}
