import { MossError } from '../core/error.ts';

/** What the operating system's own errors mean to a person; other errors come back as they are. */
export function asMossError(error: unknown): unknown {
  if (error instanceof MossError || !isSystemError(error)) return error;
  const data = { ...(error.path !== undefined && { path: error.path }), errno: error.code };
  const where = error.path === undefined ? '' : ` (${error.path})`;
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new MossError('disk-full', `the disk is full${where}`, {
        hint: 'Free some space (`moss cache prune`, `moss state prune`) and run the command again: it resumes.',
        cause: error,
        data,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new MossError('io', `not allowed to write or read${where}`, {
        hint: 'Check who owns the directory, or choose another root with -D.',
        cause: error,
        data,
      });
    default:
      return new MossError('io', error.message, { cause: error, data });
  }
}

interface SystemError extends Error {
  code: string;
  path?: string;
  syscall: string;
}

export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';
}

/** Whether an error is the operating system's with one of these codes. */
export function hasErrno(error: unknown, ...codes: string[]): boolean {
  return isSystemError(error) && codes.includes(error.code);
}
