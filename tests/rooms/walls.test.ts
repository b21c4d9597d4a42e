/**
 * The walls between the rooms stand: what must not be imported or named is put into a copy of the sources, and both
 * the compiler and the linter are seen to refuse it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { breaches, type Breach } from './breaches.ts';

const PROJECT = join(import.meta.dirname, '../..');
const COPIED = ['core', 'node', 'web', 'package.json', 'tsconfig.json', '.oxlintrc.json'];

/** What a tool says of each file: the path in the copy, and the words. */
type Complaints = Map<string, string[]>;

/** The rules that hold the walls; the others are the business of `npm run lint`. */
const WALL_RULES = /no-restricted-(imports|globals|properties)/;

describe('the walls between the rooms', () => {
  const copy = mkdtempSync(join(tmpdir(), 'moss-walls-'));
  const clean: { lint: Complaints; compile: Complaints } = { lint: new Map(), compile: new Map() };
  const broken: typeof clean = { lint: new Map(), compile: new Map() };

  before(async () => {
    for (const name of COPIED) if (existsSync(join(PROJECT, name))) cpSync(join(PROJECT, name), join(copy, name), { recursive: true });
    symlinkSync(join(PROJECT, 'node_modules'), join(copy, 'node_modules'));
    Object.assign(clean, { lint: await lint(copy), compile: await compile(copy) });
    for (const { file, source } of breaches) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      writeFileSync(join(copy, file), `${source}\n`);
    }
    Object.assign(broken, { lint: await lint(copy), compile: await compile(copy) });
  });
  after(() => rmSync(copy, { recursive: true, force: true }));

  it('are not breached by the sources as they are', () => {
    assert.deepEqual([...clean.lint], [], 'the linter');
    assert.deepEqual([...clean.compile], [], 'the compiler');
  });

  for (const breach of breaches) {
    it(`${breach.why}: ${breach.source}`, () => check(breach, broken));
  }
});

function check({ file, refusedBy }: Breach, { lint: linted, compile: compiled }: { lint: Complaints; compile: Complaints }): void {
  assert.equal(linted.has(file), refusedBy.includes('linter'), `the linter says: ${linted.get(file)?.join('; ') ?? 'nothing'}`);
  assert.equal(compiled.has(file), refusedBy.includes('compiler'), `the compiler says: ${compiled.get(file)?.join('; ') ?? 'nothing'}`);
}

async function lint(directory: string): Promise<Complaints> {
  const complaints: Complaints = new Map();
  for (const line of await linesOf(directory, 'oxlint', ['--format', 'unix'])) {
    const [, file, words] = /^(\S+?):\d+:\d+: (.*)$/.exec(line) ?? [];
    if (file !== undefined && words !== undefined && WALL_RULES.test(words)) add(complaints, file, words);
  }
  return complaints;
}

async function compile(directory: string): Promise<Complaints> {
  const complaints: Complaints = new Map();
  for (const line of await linesOf(directory, 'tsc', ['-p', 'core', '--pretty', 'false'])) {
    const [, file, words] = /^(\S+?)\(\d+,\d+\): error (.*)$/.exec(line) ?? [];
    if (file !== undefined && words !== undefined) add(complaints, file, words);
  }
  return complaints;
}

function add(complaints: Complaints, file: string, words: string): void {
  complaints.set(file, [...(complaints.get(file) ?? []), words]);
}

/** What a program of the project prints, whatever its exit status. */
function linesOf(directory: string, program: string, args: string[]): Promise<string[]> {
  return new Promise((resolve) => {
    execFile(join(PROJECT, 'node_modules/.bin', program), args, { cwd: directory, maxBuffer: 2 ** 26 }, (_error, stdout) => resolve(stdout.split('\n')));
  });
}
