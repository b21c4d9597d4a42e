/**
 * Versions of `.deb` packages: Debian policy 5.6.12, and for what the policy leaves open, dpkg's `lib/dpkg/version.c`
 * and `lib/dpkg/parsehelp.c`, whose order this is exactly.
 */
import { MossError } from '../../error.ts';

export interface DebVersion {
  readonly epoch: number;
  readonly upstream: string;
  /** Empty when there is none, which orders like `0`. */
  readonly revision: string;
}

/** dpkg keeps epochs in an `int`. */
const MAX_EPOCH = 0x7fffffff;
/** Characters. The longest in Debian 12 has 61. */
const MAX_VERSION = 256;

const UPSTREAM = /^[A-Za-z0-9][A-Za-z0-9.+~:-]*$/;
const REVISION = /^[A-Za-z0-9.+~]+$/;

/**
 * The parts of `[epoch:]upstream[-revision]`. As dpkg does, a version that starts with a letter is let through: the
 * policy only says that it should not.
 *
 * @throws MossError `bad-version`
 */
export function parseDebVersion(text: string): DebVersion {
  if (text.length > MAX_VERSION) throw badVersion(text, `it has more than ${MAX_VERSION} characters`);
  const colon = text.indexOf(':');
  const epochText = colon < 0 ? '0' : text.slice(0, colon);
  if (!/^[0-9]+$/.test(epochText)) throw badVersion(text, 'its epoch is not a number');
  const epoch = Number(epochText);
  if (epoch > MAX_EPOCH) throw badVersion(text, 'its epoch is too big');
  const rest = text.slice(colon + 1);
  const dash = rest.lastIndexOf('-');
  const upstream = dash < 0 ? rest : rest.slice(0, dash);
  const revision = dash < 0 ? '' : rest.slice(dash + 1);
  if (upstream === '') throw badVersion(text, 'it is empty');
  if (!UPSTREAM.test(upstream)) throw badVersion(text, 'it starts with, or holds, a character that is not allowed');
  if (dash >= 0 && !REVISION.test(revision)) throw badVersion(text, 'its revision is empty, or holds a character that is not allowed');
  return { epoch, upstream, revision };
}

/** Below 0 when `a` is older, above 0 when it is newer, 0 when dpkg takes them as equal (`1.0` and `1.00-0`). */
export function compareDebVersions(a: DebVersion, b: DebVersion): number {
  return a.epoch - b.epoch || compareVersionText(a.upstream, b.upstream) || compareVersionText(a.revision, b.revision);
}

const ZERO = 0x30;
const NINE = 0x39;

/**
 * dpkg's order of one part (`verrevcmp`): stretches of non-digits and of digits by turns. `~` is before everything,
 * even the end; letters are before all other characters; numbers of any length compare by value.
 */
export function compareVersionText(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const difference = order(a, i) - order(b, j);
      if (difference !== 0) return difference;
      i++;
      j++;
    }
    while (a.charCodeAt(i) === ZERO) i++;
    while (b.charCodeAt(j) === ZERO) j++;
    let firstDifference = 0;
    while (isDigit(a, i) && isDigit(b, j)) {
      firstDifference ||= a.charCodeAt(i) - b.charCodeAt(j);
      i++;
      j++;
    }
    if (isDigit(a, i)) return 1;
    if (isDigit(b, j)) return -1;
    if (firstDifference !== 0) return firstDifference;
  }
  return 0;
}

function isDigit(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= ZERO && unit <= NINE;
}

/** The weight of a character among non-digits; a digit, and the end of the text, weigh 0. */
function order(text: string, at: number): number {
  if (at >= text.length || isDigit(text, at)) return 0;
  const unit = text.charCodeAt(at);
  if (unit === 0x7e) return -1;
  const isLetter = (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
  return isLetter ? unit : unit + 256;
}

function badVersion(text: string, why: string): MossError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}...` : text;
  return new MossError('bad-version', `${JSON.stringify(shown)} is not a version: ${why}`, { data: { version: shown } });
}
