import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { test } from 'node:test';

/**
 * Runs the public TUF conformance suite (theupdateframework/tuf-conformance) against `tuf-client.ts`:
 *
 *     MOSS_CONFORMANCE=1 node --test tests/interop/tuf-conformance.test.ts
 *
 * It takes a minute or two, and Python 3.10 with `venv`. `MOSS_TUF_SUITE` names a checkout of the suite; without it,
 * one is cloned into `.bench/`. What the suite itself needs is installed there too.
 */

const SUITE = 'https://github.com/theupdateframework/tuf-conformance';
const root = resolve(import.meta.dirname, '../..');
const workshop = join(root, '.bench', 'tuf-conformance');

/** Tests of the suite that are known to fail, with the reason. There are none. */
const EXPECTED_FAILURES: Readonly<Record<string, string>> = {};

interface Report {
  readonly summary: { readonly passed?: number; readonly total: number };
  readonly tests: readonly { readonly nodeid: string; readonly outcome: string }[];
}

function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): { ok: boolean; output: string } {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  return { ok: status === 0, output: `${stdout}${stderr}${error?.message ?? ''}` };
}

/** The directory of the suite, or why there is none. */
function findSuite(): { directory: string } | { missing: string } {
  const given = process.env['MOSS_TUF_SUITE'];
  if (given !== undefined) return { directory: resolve(given) };
  const directory = join(workshop, 'suite');
  if (existsSync(directory)) return { directory };
  const { ok } = run('git', ['clone', '--quiet', '--depth', '1', SUITE, directory]);
  return ok ? { directory } : { missing: `the suite cannot be fetched from ${SUITE}; MOSS_TUF_SUITE may name a checkout of it` };
}

/** A Python that has what the suite needs, or why there is none. */
function findPython(suite: string): { python: string } | { missing: string } {
  const venv = join(workshop, 'venv');
  const python = join(venv, 'bin', 'python');
  if (!existsSync(python) && !run('python3', ['-m', 'venv', venv]).ok) return { missing: 'there is no python3 with venv on this machine' };
  const list = 'import tomllib; print("\\n".join(tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]))';
  const needed = run(python, ['-c', list], { cwd: suite });
  if (!needed.ok) return { missing: `${suite} is not a checkout of the suite` };
  const { ok } = run(python, ['-m', 'pip', 'install', '--quiet', ...needed.output.trim().split('\n')]);
  return ok ? { python } : { missing: "the suite's Python packages cannot be installed on this machine" };
}

void test('the public TUF conformance suite', (context) => {
  if (process.env['MOSS_CONFORMANCE'] !== '1') return context.skip('slow, and needs Python: run it with MOSS_CONFORMANCE=1');
  mkdirSync(workshop, { recursive: true });
  const suite = findSuite();
  if ('missing' in suite) return context.skip(suite.missing);
  const found = findPython(suite.directory);
  if ('missing' in found) return context.skip(found.missing);

  const scratch = mkdtempSync(join(tmpdir(), 'moss-conformance-'));
  try {
    // The suite sets the time by a program that few machines have; this stands in for it.
    writeFileSync(join(scratch, 'faketime'), '#!/bin/sh\nMOSS_TUF_NOW="$1"; export MOSS_TUF_NOW; shift; exec "$@"\n', { mode: 0o755 });
    const client = join(scratch, 'client');
    writeFileSync(client, `#!/bin/sh\nexec "${process.execPath}" "${join(import.meta.dirname, 'tuf-client.ts')}" "$@"\n`, { mode: 0o755 });
    const file = join(scratch, 'report.json');
    const args = ['-m', 'pytest', 'tuf_conformance', '-q', '-p', 'no:cacheprovider', '--entrypoint', client, '--json-report', `--json-report-file=${file}`];
    const env = { ...process.env, PATH: `${scratch}${delimiter}${process.env['PATH'] ?? ''}`, PYTHONDONTWRITEBYTECODE: '1' };
    const { output } = run(found.python, args, { cwd: suite.directory, env });
    assert.ok(existsSync(file), output);
    const report: Report = JSON.parse(readFileSync(file, 'utf8'));
    context.diagnostic(`${report.summary.passed ?? 0} of ${report.summary.total} tests of the suite passed`);
    const failed = report.tests.filter((one) => one.outcome !== 'passed').map((one) => one.nodeid.replace(/^.*::/, ''));
    assert.deepEqual(failed.toSorted(), Object.keys(EXPECTED_FAILURES).toSorted(), output);
    assert.ok(report.summary.total > 100, 'the suite ran as a whole');
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
