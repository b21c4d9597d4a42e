/**
 * The one error type of moss and the list of its codes.
 *
 * A code is stable: scripts may match on it. `docs/errors.md` lists every code with what to do.
 */

/** What the process exits with: `sysexits.h` where it has a word for it. */
export type ExitCode = 1 | 2 | 69 | 70 | 75 | 130;

/** Every code, the exit status it leads to, and what it means in one line. */
export const ERROR_CODES = {
  aborted: { exit: 130, meaning: 'The user or the caller stopped the operation.' },
  usage: { exit: 2, meaning: 'The command line or a setting cannot be understood.' },
  bug: { exit: 70, meaning: 'moss did something that it should never do.' },

  'bad-cid': { exit: 1, meaning: 'A content identifier is malformed, or of a kind that moss does not use.' },
  'bad-block': { exit: 1, meaning: 'A block does not have the hash, size or form that its identifier promises.' },
  'bad-message': { exit: 1, meaning: 'A peer sent something that the exchange protocol does not allow.' },
  'bad-manifest': { exit: 1, meaning: 'A package manifest or file table is malformed.' },
  'bad-index': { exit: 1, meaning: 'The index of a repository is malformed.' },
  'bad-frame': { exit: 1, meaning: 'A frame does not unpack to what its manifest says.' },
  'bad-file': { exit: 1, meaning: 'The content of a file does not have the id that its manifest says.' },
  'bad-path': { exit: 1, meaning: 'A package holds a path or link that would lead outside the system, or collides.' },
  'bad-package': { exit: 1, meaning: 'A package file is truncated, corrupt, or breaks a limit.' },
  'bad-version': { exit: 1, meaning: 'A version or a relation to one cannot be understood.' },
  unsupported: { exit: 1, meaning: 'The input uses a feature that moss does not handle.' },

  'bad-metadata': { exit: 1, meaning: 'Signed metadata is malformed, or not what the repository signed.' },
  'bad-signature': { exit: 1, meaning: 'Too few valid signatures by the keys that are trusted.' },
  'metadata-expired': { exit: 1, meaning: 'The repository has not signed anything new for too long.' },
  'metadata-rollback': { exit: 1, meaning: 'The metadata is older than what was seen before.' },
  'root-changed': { exit: 1, meaning: 'The root keys of a repository are not the ones that were trusted.' },
  'bad-passphrase': { exit: 1, meaning: 'A private key cannot be opened with the passphrase that was given.' },
  'metadata-mismatch': { exit: 1, meaning: 'Metadata does not have the hash, length or version that was signed for it.' },
  'metadata-endless': { exit: 1, meaning: 'A source sends more metadata than a repository can have.' },
  'metadata-missing': { exit: 69, meaning: 'A source does not have metadata that every repository has.' },
  'wrong-fingerprint': { exit: 1, meaning: 'The root keys of a repository do not have the fingerprint that was given.' },
  'missing-key': { exit: 1, meaning: 'Too few private keys are here to sign with.' },
  'clock-suspect': { exit: 1, meaning: 'The clock of this machine is far from what was seen before.' },

  unresolvable: { exit: 1, meaning: 'No set of packages fulfils the request.' },
  'not-found': { exit: 1, meaning: 'A named package, repository, state or file does not exist.' },
  conflict: { exit: 1, meaning: 'Two packages cannot be installed together, or want the same path.' },
  exists: { exit: 1, meaning: 'Something is already there that moss will not overwrite.' },
  locked: { exit: 75, meaning: 'Another moss is writing, and the wait was cut short.' },
  declined: { exit: 1, meaning: 'The user said no.' },
  damaged: { exit: 1, meaning: 'Verification found files that are not what they should be.' },

  'no-source': { exit: 69, meaning: 'No source has a block that is needed.' },
  'source-failed': { exit: 75, meaning: 'The sources that have a block did not deliver it in time; a later run resumes.' },
  'disk-full': { exit: 1, meaning: 'The disk, or the quota on it, is full.' },
  io: { exit: 1, meaning: 'The operating system refused to read or write.' },
  'no-tool': { exit: 1, meaning: 'A program that this needs is not on the machine.' },
} as const satisfies Record<string, { exit: ExitCode; meaning: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface MossErrorOptions {
  /** What the person can do about it, as a sentence. */
  hint?: string;
  cause?: unknown;
  /** Machine-readable details: file, offset, path, url, ... */
  data?: Record<string, string | number | boolean | undefined>;
}

/**
 * An expected failure: what went wrong, where, and what to do.
 *
 * @example
 * const error = new MossError('bad-path', 'usr/../etc/passwd leads outside', { hint: 'Do not publish this package.' });
 * assert.equal(error.exitCode, 1);
 */
export class MossError extends Error {
  override readonly name = 'MossError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly data: Record<string, string | number | boolean | undefined>;

  constructor(code: ErrorCode, message: string, options: MossErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.data = options.data ?? {};
  }

  /** The status that the process exits with when this reaches the top. */
  get exitCode(): ExitCode {
    return ERROR_CODES[this.code].exit;
  }
}
