import { MossError, type MossErrorOptions } from '../error.ts';

/** The error for metadata that does not have the form that TUF and canonical JSON ask for. */
export function badMetadata(message: string, options: MossErrorOptions = {}): MossError {
  return new MossError('bad-metadata', message, {
    hint: 'The source holds a damaged copy, or no moss repository at all. Check its address, or use another source.',
    ...options,
  });
}
