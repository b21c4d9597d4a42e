/** Names, versions and architectures as all formats may write them. */
import type { Place } from './place.ts';

/** Debian policy 5.6.1 and 5.6.7, with upper case and `_` on top, and down to one letter. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9+._-]{0,127}$/;
/** Debian policy 5.6.12, with `_` on top; the epoch is a part of it. */
const VERSION = /^[A-Za-z0-9][A-Za-z0-9.+~:_-]{0,127}$/;
/** Debian policy 11.1. */
const ARCHITECTURE = /^[a-z0-9][a-z0-9-]{0,63}$/;

/** @throws MossError `bad-package` */
export function checkedName(text: string, place: Place): string {
  if (!NAME.test(text)) throw place.bad(`${quoted(text)} cannot be the name of a package: letters, digits and + . _ - only`);
  return text;
}

/** @throws MossError `bad-package` */
export function checkedVersion(text: string, place: Place): string {
  if (!VERSION.test(text)) throw place.bad(`${quoted(text)} cannot be a version: letters, digits and . + ~ : _ - only`);
  return text;
}

/** @throws MossError `bad-package` */
export function checkedArchitecture(text: string, place: Place): string {
  if (!ARCHITECTURE.test(text)) throw place.bad(`${quoted(text)} cannot be an architecture: a word such as amd64, arm64 or all`);
  return text;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}
