/** Words as users of the existing `moss` know them, put into those of this one before they are parsed. */

/** Aliases that stand for more than one word; those for one are in the table of verbs. */
export const ALIASES: ReadonlyMap<string, readonly string[]> = new Map([
  ['li', ['list', 'installed']],
  ['la', ['list', 'available']],
  ['ls', ['list', 'sync']],
  ['lu', ['list', 'sync']],
  ['ar', ['repo', 'add']],
  ['lr', ['repo', 'list']],
  ['rr', ['repo', 'remove']],
  ['ur', ['repo', 'update']],
]);

/** Options whose value is a word of its own. */
const WITH_VALUE: ReadonlySet<string> = new Set(['-D', '--root', '--state', '--tool']);

/**
 * The command line with its alias spelt out. What follows the program of `run` belongs to that program, so `--` is put
 * before it. `cache` alone shows, and `config` alone lists.
 *
 * @example
 * assert.deepEqual(expandWords(['-D', 'x', 'li']), ['-D', 'x', 'list', 'installed']);
 * assert.deepEqual(expandWords(['run', 'ls', '--json']), ['run', '--', 'ls', '--json']);
 */
export function expandWords(argv: readonly string[]): string[] {
  const at = nextWord(argv, 0);
  const word = argv[at];
  if (word === undefined || word === '--') return [...argv];
  const words = [...argv.slice(0, at), ...(ALIASES.get(word) ?? [word]), ...argv.slice(at + 1)];
  const next = nextWord(words, at + 1);
  const isBare = words[next] === undefined && !words.some((each) => each === '--help' || each === '-h');
  if (word === 'cache' && isBare) words.push('show');
  if (word === 'config' && isBare) words.push('list');
  if (word === 'run' && words[next] !== undefined && words[next] !== '--') words.splice(next, 0, '--');
  return words;
}

function nextWord(argv: readonly string[], from: number): number {
  let at = from;
  while (at < argv.length && argv[at] !== '--' && argv[at]?.startsWith('-') === true) at += WITH_VALUE.has(argv[at] ?? '') ? 2 : 1;
  return at;
}
