import { MossError, type ErrorCode } from '../../core/error.ts';

/** Where in a package file something is wrong: a byte offset in the part, or a path. */
export interface Spot {
  /** Bytes from the start of the part (unpacked, where the part is compressed). */
  offset?: number | undefined;
  path?: string | undefined;
}

/** A package file, or a part of it: makes the errors, so that each names the file, the spot and the reason. */
export class Place {
  readonly file: string;
  readonly part: string | undefined;

  constructor(file: string, part?: string) {
    this.file = file;
    this.part = part;
  }

  /** A part of this file, such as `data.tar.xz`. */
  in(part: string): Place {
    return new Place(this.file, part);
  }

  /** `bad-package`: truncated, corrupt, or beyond a limit. */
  bad(reason: string, spot: Spot = {}, cause?: unknown): MossError {
    return this.#error('bad-package', reason, spot, 'The file is damaged or hostile: fetch it again, or do not publish it.', cause);
  }

  /** `bad-path`: it would lead outside, or collides. */
  badPath(reason: string, path: string): MossError {
    return this.#error('bad-path', reason, { path }, 'A package with such a path is broken or hostile; tell its publisher.');
  }

  /** `unsupported`: well-formed perhaps, but nothing that moss reads. */
  unsupported(reason: string, spot: Spot = {}, hint = 'Repack it without that feature.'): MossError {
    return this.#error('unsupported', reason, spot, hint);
  }

  /** The same error, naming the file (and the path) if it did not yet. */
  name(error: unknown, spot: Spot = {}): unknown {
    if (error instanceof MossError) {
      if (error.data['file'] !== undefined) return error;
      return this.#error(error.code, error.message, { ...spot, ...pathOf(error) }, error.hint, error);
    }
    const code = systemCode(error);
    if (code === undefined) return error;
    const message = error instanceof Error ? error.message : String(error);
    const full = code === 'ENOSPC' || code === 'EDQUOT';
    return this.#error(full ? 'disk-full' : 'io', message, spot, undefined, error);
  }

  #error(code: ErrorCode, reason: string, spot: Spot, hint: string | undefined, cause?: unknown): MossError {
    const where = [
      this.file,
      ...(this.part === undefined ? [] : [this.part]),
      ...(spot.offset === undefined ? [] : [`at byte ${spot.offset}`]),
      ...(spot.path === undefined ? [] : [shown(spot.path)]),
    ].join(', ');
    return new MossError(code, `${where}: ${reason}`, {
      ...(hint === undefined ? {} : { hint }),
      ...(cause === undefined ? {} : { cause }),
      data: { file: this.file, part: this.part, offset: spot.offset, path: spot.path },
    });
  }
}

/** A path as people can read it, whatever bytes it has, and never too long for a line. */
export function shown(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}...` : path);
}

/** The `errno` name of an error of the operating system. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

function pathOf(error: MossError): Spot {
  const path = error.data['path'];
  return typeof path === 'string' ? { path } : {};
}
