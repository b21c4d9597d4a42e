/**
 * Components: parts of a package that a user may leave out. Formats that do not divide their packages themselves are
 * divided by path, after the Filesystem Hierarchy Standard 3.0 (section 4) and the habits of distributions.
 *
 * | component | what |
 * |---|---|
 * | `main` | what no other takes: programs, libraries, data, licences |
 * | `dev` | headers, static libraries, pkg-config and CMake files, aclocal macros: what compilers need |
 * | `doc` | documentation, other than manual pages and copyright files |
 * | `man` | manual pages in all languages |
 * | `locale/<tag>` | translations of messages, by language |
 * | `debug` | detached debug symbols |
 */
import type { PackageFormat } from './package.ts';
import type { PackagePath } from './path.ts';

/** What is always installed. */
export const MAIN = 'main';

/**
 * `pt_BR`, `sr@latin`, `en_GB.UTF-8`, `zh-Hant`. Languages have two or three letters (ISO 639), so that
 * `usr/share/locale/locale.alias` is none; and the `C` locale is no translation.
 */
const LOCALE_TAG = /^[a-z]{2,3}(?:[_-][A-Za-z0-9]{2,8})*(?:\.[A-Za-z0-9-]{1,16})?(?:@[A-Za-z0-9]{1,16})?$/;

/**
 * Licences ask that they travel with the work, so they are in `main`; and so is what stands directly in
 * `usr/share/doc`: a package may link its whole directory there to that of another one, with the licence in it.
 */
const LICENCE = /^usr\/share\/doc(?:\/[^/]+(?:\/copyright)?)?$/;

const DOC = /^usr\/share\/(?:doc|doc-base|gtk-doc|info|help)(?:\/|$)/;
const MAN = /^usr\/share\/man(?:\/|$)/;
const DEBUG = /^usr\/lib\/debug(?:\/|$)/;
/** `usr/lib`, `usr/lib64`, and the multi-arch directory in it. */
const LIB = String.raw`usr/lib[^/]*/(?:[^/]+-linux-[^/]+/)?`;
const DEV = [
  /^usr\/(?:local\/)?include(?:\/|$)/,
  /^usr\/share\/(?:pkgconfig|cmake|aclocal|gir-1\.0|vala\/vapi)(?:\/|$)/,
  new RegExp(`^${LIB}(?:pkgconfig|cmake)(?:/|$)`),
  new RegExp(`^${LIB}[^/]+\\.(?:a|la)$`),
];

/**
 * The component that a path belongs to.
 *
 * Links such as `libz.so` stay in `main`: by the path alone they cannot be told from plugins and from libraries
 * without a version.
 *
 * @example
 * assert.equal(componentOf('usr/share/man/de/man1/ls.1.gz', 'deb'), 'man');
 */
export function componentOf(path: PackagePath | string, _format: PackageFormat): string {
  if (DEBUG.test(path)) return 'debug';
  if (!path.startsWith('usr/')) return MAIN;
  if (MAN.test(path)) return 'man';
  if (DOC.test(path)) return LICENCE.test(path) ? MAIN : 'doc';
  const tag = localeTag(path);
  if (tag !== undefined) return `locale/${tag}`;
  return DEV.some((pattern) => pattern.test(path)) ? 'dev' : MAIN;
}

/** The language of a path under `usr/share/locale`, `usr/share/locale-langpack` or `usr/lib/locale`. */
function localeTag(path: string): string | undefined {
  const [, tag] = /^usr\/(?:share\/locale(?:-langpack)?|lib\/locale)\/([^/]+)(?:\/|$)/.exec(path) ?? [];
  return tag !== undefined && LOCALE_TAG.test(tag) ? tag : undefined;
}
