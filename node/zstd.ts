import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { TABLE_LEVEL } from '../core/dag/table.ts';
import { MossError } from '../core/error.ts';
import type { Compressor, CompressOptions, DecompressOptions } from '../core/ports/compressor.ts';

const compressAsync = promisify(zstdCompress);

/** How tables are compressed here. Other versions of zstd, and other levels, may compress to other bytes. */
export const tableCompression = `${process.versions['zstd'] ?? ''} level ${TABLE_LEVEL}`;

interface SyncCompressor extends Compressor {
  compress(bytes: Uint8Array, options: CompressOptions): Uint8Array;
  decompress(bytes: Uint8Array, options: DecompressOptions): Uint8Array;
}

/** zstd by `node:zlib`. Both calls are synchronous: they belong into a worker where there is much to do. */
export const nodeCompressor: SyncCompressor = {
  compress: (bytes, options) => zstdCompressSync(bytes, compressParameters(bytes, options)),
  decompress: (bytes, { size, dictionary }) => {
    let plain: Uint8Array;
    try {
      plain = zstdDecompressSync(bytes, {
        maxOutputLength: Math.max(size, 1),
        // One piece of exactly the right size: no copying together afterwards.
        chunkSize: Math.max(size, 64),
        params: { [constants.ZSTD_d_windowLogMax]: 27 },
        ...(dictionary !== undefined && { dictionary }),
      });
    } catch (cause) {
      throw new MossError('bad-frame', `a frame does not unpack to its ${size} bytes`, { cause });
    }
    if (plain.length !== size) throw new MossError('bad-frame', `a frame unpacks to ${plain.length} bytes instead of ${size}`);
    return plain;
  },
};

/** The same compression on a thread of libuv's pool: two of these keep two cores busy. */
export function compressInBackground(bytes: Uint8Array, options: CompressOptions): Promise<Uint8Array> {
  return compressAsync(bytes, compressParameters(bytes, options));
}

/**
 * Compresses several things at a time, each on its own thread. Of megabytes it may make a few bytes more or less than
 * `nodeCompressor`: what is to be made again byte for byte must be made by the same one.
 */
export const backgroundCompressor: Compressor = {
  compress: compressInBackground,
  decompress: (bytes, options) => nodeCompressor.decompress(bytes, options),
};

/** The window covers the content and its dictionary, so that nothing is out of reach. */
function compressParameters(bytes: Uint8Array, { level, dictionary }: CompressOptions): Parameters<typeof zstdCompressSync>[1] {
  const reach = bytes.length + (dictionary?.length ?? 0);
  const windowLog = Math.min(27, Math.max(10, Math.ceil(Math.log2(Math.max(2, reach)))));
  return {
    chunkSize: Math.max(1024, bytes.length + 1024),
    // Else zstd prepares tables for content of any size: 50 ms for 1.5 kB at level 19, instead of 1 (measured).
    pledgedSrcSize: bytes.length,
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_windowLog]: windowLog },
    ...(dictionary !== undefined && { dictionary }),
  };
}
