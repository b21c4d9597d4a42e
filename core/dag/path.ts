/**
 * Paths of packages are untrusted, even when signed. A `PackagePath` has passed the checks: relative to the root of
 * the system, in normal form, with `bin`, `sbin` and `lib*` merged into `usr` (Debian's usr-merge).
 */
import { MossError } from '../error.ts';

declare const packagePath: unique symbol;
export type PackagePath = string & { readonly [packagePath]: true };

/** Bytes: `PATH_MAX` of Linux, less what a root may take in front. */
const MAX_PATH = 3072;
/** Bytes: `NAME_MAX` of Linux. */
const MAX_NAME = 255;

/** Top-level names that are links into `usr` on a merged system. */
export const USR_ALIASES = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libo32', 'libx32'] as const;

/** The store's own directory in a root: no package may hold it. */
export const RESERVED_TOP = '.moss';


/** What nearly all paths are: in normal form, of letters, digits and some signs, and too short for any limit. */
const PLAIN = /^(?:[\w+@,~=%-][\w.+@,~=%-]*\/)*[\w+@,~=%-][\w.+@,~=%-]*$/;

/**
 * Checks and normalises a path from a package.
 *
 * @returns the path, or `undefined` for the root itself (`/`, `.`, `./`)
 * @throws MossError `bad-path`
 */
export function parsePath(text: string): PackagePath | undefined {
  // All checks at once, which tens of thousands of paths need: the top is neither moss's own nor to be merged into usr.
  if (text.length <= MAX_NAME && text.startsWith('usr/') && PLAIN.test(text)) return text as PackagePath;
  const names = text.replace(/^\.?\/+/, '').split('/').filter((name) => name !== '' && name !== '.');
  for (const name of names) checkName(name, text);
  const [top] = names;
  if (top === undefined) return undefined;
  if (top === RESERVED_TOP) throw badPath(text, 'that directory belongs to moss');
  if ((USR_ALIASES as readonly string[]).includes(top)) names.unshift('usr');
  const path = names.join('/');
  if (byteLength(path) > MAX_PATH) throw badPath(text, `longer than ${MAX_PATH} bytes`);
  return path as PackagePath;
}

function checkName(name: string, path: string): void {
  if (name === '..') throw badPath(path, 'it leads upwards with ..');
  if (name.includes('\0')) throw badPath(path, 'it holds a NUL byte');
  if (name.includes('\uFFFD') || !name.isWellFormed()) throw badPath(path, 'it is not valid UTF-8');
  if (byteLength(name) > MAX_NAME) throw badPath(path, `a name is longer than ${MAX_NAME} bytes`);
}

function badPath(path: string, why: string): MossError {
  const shown = path.length > 200 ? `${path.slice(0, 200)}...` : path;
  return new MossError('bad-path', `the path ${JSON.stringify(shown)} is refused: ${why}`, {
    hint: 'A package with such a path is broken or hostile; tell its publisher.',
    data: { path: shown },
  });
}

/** Bytes of a well-formed string in UTF-8. */
export function byteLength(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes += 1;
    else if (unit < 0x800) bytes += 2;
    else if (unit >= 0xd800 && unit < 0xdc00) {
      bytes += 4;
      i++;
    } else bytes += 3;
  }
  return bytes;
}

/** Order of file tables: by the UTF-16 code units, which is what `<` compares. */
export function comparePaths(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The target of a symbolic link at `path`, made relative, so that it means the same from inside and from outside of
 * the root: an absolute target is one from the root of the system.
 *
 * @throws MossError `bad-path` when it climbs out of the root, is empty, or holds a NUL
 */
export function linkTarget(path: PackagePath, target: string): string {
  if (target === '' || target.includes('\0') || !target.isWellFormed() || byteLength(target) > MAX_PATH) {
    throw badPath(path, 'its link target is empty, too long, or not text');
  }
  const depth = path.split('/').length - 1;
  if (target.startsWith('/')) {
    const inside = resolveNames(target.split('/'), 0);
    if (inside === undefined) throw badPath(path, `it links to ${target}, outside of the root`);
    return '../'.repeat(depth) + (inside.join('/') || '.');
  }
  if (resolveNames(target.split('/'), depth) === undefined) throw badPath(path, `it links to ${target}, outside of the root`);
  return target;
}

/** The names of a path after `.` and `..` are taken away; `undefined` when it climbs more than `depth` levels. */
function resolveNames(names: readonly string[], depth: number): string[] | undefined {
  const out: string[] = [];
  let climbed = 0;
  for (const name of names) {
    if (name === '' || name === '.') continue;
    if (name !== '..') out.push(name);
    else if (out.length > 0) out.pop();
    else if (++climbed > depth) return undefined;
  }
  return out;
}

/** The path of the directory that something lies in; empty at the top. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
