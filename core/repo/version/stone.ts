/**
 * Versions of `.stone` packages. What orders them is the source release, a number that the packager raises with every
 * change; the version text is for people.
 */
import { MossError } from '../../error.ts';
import { compareVersionText } from './deb.ts';

/** Characters. */
const MAX_VERSION = 256;
const PRINTABLE = /^[\x21-\x7e]+$/;

/** @throws MossError `bad-version` for an empty or overlong text, and for anything but visible ASCII. */
export function checkStoneVersion(text: string): void {
  if (text.length > MAX_VERSION || !PRINTABLE.test(text)) {
    const shown = text.length > 80 ? `${text.slice(0, 80)}...` : text;
    throw new MossError('bad-version', `${JSON.stringify(shown)} is not a version: 1 to ${MAX_VERSION} visible characters`, {
      data: { version: shown },
    });
  }
}

/**
 * The order of two version texts of the same release: numbers by value as people expect (dpkg's order), and where that
 * sees no difference (`1.0` and `1.00`) by code units, so that different texts are never equal.
 */
export function compareStoneText(a: string, b: string): number {
  return compareVersionText(a, b) || (a < b ? -1 : Number(a > b));
}
