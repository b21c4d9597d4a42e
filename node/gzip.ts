/** GNU gzip: its output is not zlib's, so only the program itself can give a packed document back byte for byte. */
import { spawn, spawnSync } from 'node:child_process';
import { MossError } from '../core/error.ts';
import type { AbortOptions } from '../core/ports/abort.ts';

/** Files handed to one run of the program: far below the limit of a command line. */
const BATCH = 1000;

let available: boolean | undefined;

/** Whether the `gzip` on this machine is GNU gzip; others (busybox, BSD) give other bytes. */
export function hasGnuGzip(): boolean {
  available ??= spawnSync('gzip', ['--version'], { encoding: 'utf8', timeout: 10_000 }).stdout?.startsWith('gzip 1.') ?? false;
  return available;
}

/**
 * Packs each file of `directory` as `gzip -9n` does: `name` becomes `name.gz`.
 *
 * @throws MossError `no-tool` when the program fails
 */
export async function gzipFiles(directory: string, names: readonly string[], options: AbortOptions = {}): Promise<void> {
  for (let i = 0; i < names.length; i += BATCH) {
    options.signal?.throwIfAborted();
    await run(directory, names.slice(i, i + BATCH));
  }
}

function run(directory: string, names: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('gzip', ['-9nf', '--', ...names], { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (complaint.length < 2000) complaint += chunk.toString();
    });
    child.on('error', (cause) => reject(new MossError('no-tool', 'gzip cannot be run', { cause })));
    child.on('close', (status) => {
      if (status === 0) resolve();
      else reject(new MossError(/No space left/.test(complaint) ? 'disk-full' : 'no-tool', `gzip failed: ${complaint.trim()}`));
    });
  });
}
