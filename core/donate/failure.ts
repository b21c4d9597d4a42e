import { MossError } from '../error.ts';
import type { DonorFailure } from './status.ts';

/** An error as it is told to a page. */
export function failureOf(error: unknown): DonorFailure {
  if (error instanceof MossError) return { code: error.code, message: error.message, hint: error.hint };
  return { code: 'bug', message: error instanceof Error ? error.message : String(error) };
}
