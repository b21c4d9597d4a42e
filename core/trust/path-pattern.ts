/**
 * Whether a target path matches a PATHPATTERN (TUF section 4.5): `*` and `?` stand for what they do in a shell, and
 * for no separator. It takes time in proportion to the product of the lengths at worst, whatever the pattern.
 *
 * @example
 * matchesPath('foo-*.tgz', 'foo-1.tgz'); // true
 * matchesPath('*.tgz', 'targets/foo.tgz'); // false
 */
export function matchesPath(pattern: string, path: string): boolean {
  const patterns = pattern.split('/');
  const segments = path.split('/');
  return patterns.length === segments.length && patterns.every((part, at) => matchesSegment(part, segments[at] ?? ''));
}

function matchesSegment(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let retry = 0;
  while (from < text.length) {
    if (pattern[at] === '*') {
      star = at;
      retry = from;
      at += 1;
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === text[from])) {
      at += 1;
      from += 1;
    } else if (star >= 0) {
      retry += 1;
      from = retry;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
