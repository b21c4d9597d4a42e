import { decompress } from 'fzstd';
import type { Decompressor } from '../core/donate/catalog.ts';
import { MossError } from '../core/error.ts';

/**
 * zstd of whole frames, without a dictionary: all that a donor has to unpack is the index. Nothing beyond `size` bytes
 * is written: the output has that many.
 */
export const webDecompressor: Decompressor = {
  decompress: (bytes, { size, dictionary }) => {
    if (dictionary !== undefined) throw new MossError('unsupported', 'a frame against a dictionary is not unpacked here');
    let plain: Uint8Array;
    try {
      plain = decompress(bytes, new Uint8Array(size));
    } catch (cause) {
      throw new MossError('bad-frame', `a frame does not unpack to its ${size} bytes`, { cause });
    }
    if (plain.length !== size) throw new MossError('bad-frame', `a frame unpacks to ${plain.length} bytes instead of ${size}`);
    return plain;
  },
};
