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

/** One part of a word: quoted text, an escaped character, or plain ones. */
const PART = /'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^\s'"\\;&|()<>]+)/y;
const HERE_DOCUMENT = /<<-?[ \t]*(['"]?)([\w.-]+)\1/y;

function* tokens(script: string): Generator<Token> {
  const ends: string[] = [];
  let at = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const found = pattern.exec(script);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  while (at < script.length) {
    if (match(/(?:[ \t]|\\\n)+/y) !== null || match(/#[^\n]*/y) !== null) continue;
    if (match(/\n/y) !== null) {
      yield { kind: 'end' };
      for (const end of ends.splice(0)) at = afterHereDocument(script, at, end);
      continue;
    }
    const here = match(HERE_DOCUMENT);
    if (here?.[2] !== undefined) {
      ends.push(here[2]);
      continue;
    }
    if (match(/[0-9]*[<>]+&?[-0-9]*/y) !== null) {
      // The target of a redirection is no argument.
      match(/[ \t]*/y);
      readWord();
      continue;
    }
    const word = readWord();
    if (word !== undefined) {
      yield word;
      continue;
    }
    at++;
    yield { kind: 'end' };
  }

  function readWord(): Token | undefined {
    let text = '';
    let literal = true;
    let any = false;
    for (let part = match(PART); part !== null; part = match(PART)) {
      any = true;
      const [, single, double, escaped, plain] = part;
      if (single !== undefined) text += single;
      else if (escaped !== undefined) text += escaped === '\n' ? '' : escaped;
      else if (double !== undefined) {
        literal &&= !/(^|[^\\])[$`]/.test(double);
        text += double.replace(/\\\n/g, '').replace(/\\([$`"\\])/g, '$1');
      } else if (plain !== undefined) {
        literal &&= !/[$`*?[{~]/.test(plain);
        text += plain;
      }
    }
    return any ? { kind: 'word', text, literal } : undefined;
  }
}

/** The offset after the line that is `end` alone. */
function afterHereDocument(script: string, at: number, end: string): number {
  while (at < script.length) {
    const newline = script.indexOf('\n', at);
    const line = script.slice(at, newline === -1 ? undefined : newline);
    at = newline === -1 ? script.length : newline + 1;
    if (line.replace(/^\t+/, '') === end) break;
  }
  return at;
}
