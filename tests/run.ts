/**
 * Runs all tests, or those that the arguments name. Two files at a time, each in a process of its own.
 *
 * Tests of browsers and sockets meet a machine that now and then stands still for longer than any patience: one that
 * was stopped for a minute cannot tell a dead peer from itself. So where `CI` is set, files that failed run once more,
 * alone, if they are few. What passes then is named as flaky at the end, which is a fault to be mended; what fails
 * again has failed. Without `CI` nothing runs twice.
 */
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

const ALL = ['tests/{conformance,core,e2e,interop,node,rooms,simulation,web}/**/*.test.ts'];
/** Milliseconds for one test. */
const TIMEOUT = 600_000;
/** More than this many files that fail are no accident. */
const MOST_FLAKY = 3;

/** @returns the files of which something failed. @throws Error where no test is found */
async function failing(globPatterns: readonly string[], concurrency: number): Promise<string[]> {
  const files = new Set<string>();
  let found = 0;
  const events = run({ globPatterns, concurrency, timeout: TIMEOUT });
  events.on('test:start', () => found++);
  events.on('test:fail', ({ file, name, todo }) => {
    if (todo === undefined || todo === false) files.add(file ?? name);
  });
  for await (const text of events.compose(spec)) process.stdout.write(String(text));
  if (found === 0) throw new Error(`no test is at ${globPatterns.join(', ')}`);
  return [...files].map((file) => relative(process.cwd(), file));
}

const { values, positionals: named } = parseArgs({ options: { built: { type: 'boolean' } }, allowPositionals: true });
// Then tests start the program as it is shipped, which takes half the time; else its sources.
if (values.built === true) process.env['MOSS_TEST_BUILT'] = '1';
const failed = await failing(named.length > 0 ? named : ALL, 2);
if (failed.length > 0) process.exitCode = 1;
if (process.env['CI'] !== undefined && failed.length > 0 && failed.length <= MOST_FLAKY) {
  console.log(`\nOnce more, alone: ${failed.join(', ')}`);
  const again = await failing(failed, 1);
  console.log(`\nFailed among the others, passed alone, so flaky: ${failed.filter((file) => !again.includes(file)).join(', ') || 'none'}`);
  if (again.length === 0) process.exitCode = 0;
}
