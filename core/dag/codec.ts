import * as dagCbor from '@ipld/dag-cbor';
import { MossError, type ErrorCode } from '../error.ts';

/** The canonical dag-cbor bytes of a value: the same value always gives the same bytes. */
export function encodeCbor(value: unknown): Uint8Array {
  return dagCbor.encode(value);
}

/**
 * The value of strict dag-cbor bytes.
 *
 * @param what what the bytes should be, for the error
 * @throws MossError with `code` when the bytes are anything else
 */
export function decodeCbor(bytes: Uint8Array, code: ErrorCode, what: string): unknown {
  try {
    return dagCbor.decode(bytes);
  } catch (cause) {
    throw new MossError(code, `${what} is not dag-cbor`, { cause });
  }
}
