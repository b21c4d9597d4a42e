/** Runs `moss` as a process of its own, as a person would, and can kill it on the way. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

export interface Ran {
  /** The exit status; `undefined` when a signal ended it. */
  status: number | undefined;
  stdout: string;
  stderr: string;
  /** Milliseconds. */
  ms: number;
}

export interface MossOptions {
  /** `-D`. */
  root?: string;
  env?: Record<string, string>;
  /** Ends the process with a signal some milliseconds after its start. */
  kill?: { after: number; signal: 'SIGKILL' | 'SIGINT' } | undefined;
  /** Called with each piece of stderr. */
  onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  /** Words before the command: `ip netns exec NAME`. */
  prefix?: readonly string[];
  /** Milliseconds after which a process that does not end is killed: the test then fails and does not hang. */
  limit?: number;
}

/** The program as it is shipped, where `npm test` has just built it; else its sources, whatever was built before. */
export const START = process.env['MOSS_TEST_BUILT'] === '1' ? join(import.meta.dirname, '../../bin/moss.js') : join(import.meta.dirname, 'start.ts');

/** Settings of the person who runs the tests stay out of them. */
export const ENVIRONMENT = { ...process.env, XDG_CONFIG_HOME: '/nonexistent', XDG_DATA_HOME: '/nonexistent', TERM: 'dumb', NO_COLOR: '1', MOSS_ROOT: undefined, MOSS_PASSPHRASE: undefined };

export async function moss(args: readonly string[], { root, env, kill, onStderr, prefix = [], limit = 180_000 }: MossOptions = {}): Promise<Ran> {
  const all = root === undefined ? args : [...args, '-D', root];
  const start = performance.now();
  const [program = '', ...rest] = [...prefix, process.execPath, START, ...all];
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...ENVIRONMENT, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    onStderr?.(chunk.toString(), (signal) => child.kill(signal));
  });
  const guard = setTimeout(() => child.kill('SIGKILL'), limit);
  const timer = kill && setTimeout(() => child.kill(kill.signal), kill.after);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  clearTimeout(timer);
  clearTimeout(guard);
  return { status: status ?? undefined, stdout, stderr, ms: performance.now() - start };
}

/** Runs `moss` and takes nothing but success. */
export async function mossDone(args: readonly string[], options: MossOptions = {}): Promise<Ran> {
  const ran = await moss(args, options);
  if (ran.status !== 0) throw new Error(`moss ${args.join(' ')} ended with ${ran.status}:\n${ran.stdout}${ran.stderr}`);
  return ran;
}

/** The document that `--json` writes on stdout. */
export function document({ stdout, stderr }: Ran): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(stdout);
  } catch (cause) {
    throw new Error(`no JSON on stdout: ${stdout}\n${stderr}`, { cause });
  }
  if (typeof value !== 'object' || value === null) throw new Error(`no document on stdout: ${stdout}`);
  return { ...value };
}
