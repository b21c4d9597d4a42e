/**
 * The links that `update-alternatives --install` would make, read from a maintainer script that is never run. Only
 * what stands there literally counts: a word with a variable, a substitution or a pattern in it is not guessed at.
 */
import type { Alternative, AlternativeLink } from '../../core/dag/package.ts';
import { parsePath } from '../../core/dag/path.ts';
import { MossError } from '../../core/error.ts';

/** `undefined` stands for a word that only a shell could know. */
type Word = string | undefined;

/** The alternatives of a `postinst`. Calls that are not literal, or name paths that no package may have, are left out. */
export function alternativesOf(script: string): Alternative[] {
  const found: Alternative[] = [];
  for (const command of commands(script)) {
    const start = command.findIndex((word) => word === 'update-alternatives' || word?.endsWith('/update-alternatives'));
    if (start === -1) continue;
    const alternative = parseCall(command.slice(start + 1));
    if (alternative !== undefined) found.push(alternative);
  }
  return found;
}

function parseCall(words: readonly Word[]): Alternative | undefined {
  const rest = words.slice(Math.max(0, words.indexOf('--install')));
  if (rest[0] !== '--install' || words.includes(undefined)) return undefined;
  const [, link, name, path, priority, ...more] = rest;
  const master = checkedLink(link, name, path);
  if (master === undefined || priority === undefined || !/^-?[0-9]{1,9}$/.test(priority)) return undefined;
  const slaves: Alternative['slaves'] = [];
  for (let i = 0; i < more.length; i += 4) {
    if (more[i] !== '--slave') return undefined;
    const slave = checkedLink(more[i + 1], more[i + 2], more[i + 3]);
    if (slave === undefined) return undefined;
    slaves.push(slave);
  }
  return { ...master, priority: Number(priority), slaves };
}

function checkedLink(link: Word, name: Word, path: Word): AlternativeLink | undefined {
  if (link === undefined || name === undefined || path === undefined) return undefined;
  if (!link.startsWith('/') || !path.startsWith('/') || !/^[^/\s]+$/.test(name) || name.startsWith('-')) return undefined;
  try {
    const [from, to] = [parsePath(link), parsePath(path)];
    return from === undefined || to === undefined ? undefined : { link: from, name, path: to };
  } catch (error) {
    if (error instanceof MossError) return undefined;
    throw error;
  }
}

/**
 * The simple commands of a shell script, as words (POSIX shell, 2.3 "Token Recognition"): enough of the grammar for
 * quotes, continued lines, comments, operators and here-documents.
 */
function* commands(script: string): Generator<Word[]> {
  let command: Word[] = [];
  for (const token of tokens(script)) {
    if (token.kind === 'word') {
      command.push(token.literal ? token.text : undefined);
      continue;
    }
    if (command.length > 0) yield command;
    command = [];
  }
  if (command.length > 0) yield command;
}

type Token = { kind: 'word'; text: string; literal: boolean } | { kind: 'end' };

const HERE_DOCUMENT = /<<-?[ \t]*(['"]?)([\w.-]+)\1/y;

function* tokens(script: string): Generator<Token> {
  const scanner = new Scanner(script);
  const ends: string[] = [];
  while (!scanner.atEnd) {
    if (scanner.match(/[^\S\n]+/y) || scanner.match(/\\\n/y) || scanner.match(/#[^\n]*/y)) continue;
    if (scanner.match(/\n/y)) {
      yield { kind: 'end' };
      for (const end of ends.splice(0)) scanner.skipHereDocument(end);
      continue;
    }
    const end = scanner.match(HERE_DOCUMENT)?.[2];
    if (end !== undefined) {
      ends.push(end);
      continue;
    }
    if (scanner.match(/[0-9]*[<>]+&?[-0-9]*/y)) {
      // The target of a redirection is no argument.
      scanner.match(/[ \t]*/y);
      scanner.word();
      continue;
    }
    const word = scanner.word();
    if (word !== undefined) yield word;
    else if (scanner.match(/[;&|()]/y)) yield { kind: 'end' };
    // A quote without its end: a shell would refuse the rest, too.
    else return;
  }
}

/** A place in a script. Its patterns have no alternatives to come back to, so that no text can make them slow or deep. */
class Scanner {
  readonly #script: string;
  #at = 0;

  constructor(script: string) {
    this.#script = script;
  }

  get atEnd(): boolean {
    return this.#at >= this.#script.length;
  }

  /** What matches the sticky pattern here, which is then passed. */
  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#script);
    if (found !== null) this.#at = pattern.lastIndex;
    return found;
  }

  /** A word: quoted text, escaped and plain characters, one after the other. */
  word(): Token | undefined {
    const parts: string[] = [];
    let literal = true;
    for (;;) {
      const part = this.match(/[^\s'"\\;&|()<>]+/y)?.[0] ?? this.match(/'[^']*'/y)?.[0] ?? this.match(/\\[^]/y)?.[0];
      if (part === undefined) {
        const quoted = this.#doubleQuoted();
        if (quoted === undefined) break;
        parts.push(quoted.text);
        literal &&= quoted.literal;
      } else if (part.startsWith("'")) parts.push(part.slice(1, -1));
      else if (part.startsWith('\\')) parts.push(part === '\\\n' ? '' : part.slice(1));
      else {
        parts.push(part);
        literal &&= !/[$`*?[{~]/.test(part);
      }
    }
    return parts.length === 0 ? undefined : { kind: 'word', text: parts.join(''), literal };
  }

  #doubleQuoted(): { text: string; literal: boolean } | undefined {
    const start = this.#at;
    if (!this.match(/"/y)) return undefined;
    const parts: string[] = [];
    let literal = true;
    while (!this.match(/"/y)) {
      const plain = this.match(/[^"\\]+/y)?.[0];
      const escaped = this.match(/\\[^]/y)?.[0];
      if (plain === undefined && escaped === undefined) {
        this.#at = start;
        return undefined;
      }
      if (plain !== undefined) {
        parts.push(plain);
        literal &&= !/[$`]/.test(plain);
      }
      // Within double quotes a backslash only takes these characters (POSIX shell 2.2.3).
      if (escaped !== undefined && escaped !== '\\\n') parts.push(/[$`"\\]/.test(escaped.charAt(1)) ? escaped.charAt(1) : escaped);
    }
    return { text: parts.join(''), literal };
  }

  /** To the line after the one that is `end` alone. */
  skipHereDocument(end: string): void {
    while (!this.atEnd) {
      const line = this.match(/[^\n]*/y)?.[0] ?? '';
      this.match(/\n/y);
      if (line.replace(/^\t+/, '') === end) return;
    }
  }
}
