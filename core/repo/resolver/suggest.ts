/** Names that someone who misspelt one may have meant. */

/**
 * At most three of `names` that differ from `wrong` in few letters (one in short names, two in longer ones), the nearest
 * first.
 */
export function similarNames(wrong: string, names: Iterable<string>): string[] {
  const limit = wrong.length < 5 ? 1 : 2;
  const found: { name: string; distance: number }[] = [];
  for (const name of names) {
    if (Math.abs(name.length - wrong.length) > limit) continue;
    const distance = editDistance(wrong.toLowerCase(), name.toLowerCase(), limit);
    if (distance <= limit) found.push({ name, distance });
  }
  return found.toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1)).slice(0, 3).map(({ name }) => name);
}

/**
 * Letters to insert, delete, replace, or swap with the next (optimal string alignment), or some number above `limit`.
 */
export function editDistance(a: string, b: string, limit: number): number {
  let previous: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, (previous[j - 2] ?? 0) + 1);
      next.push(best);
    }
    if (Math.min(...next) > limit) return limit + 1;
    previous = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
