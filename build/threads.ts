/**
 * Makes one file of each thread that commands wait for, with all that it imports. What a thread takes to start is finding
 * and reading its modules: for the one that asks peers these are the five hundred of libp2p, half a second of a processor
 * instead of 70 ms; for those of the store 35 of 80 ms each (measured).
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const PROJECT = join(import.meta.dirname, '..');

/** Where they are, without the ending; what a thread loads later on lies in a directory of that name. */
const THREADS = ['node/peer/asking-thread', 'node/store/store-worker'];

/** @param dist where `tsc` wrote the program: the threads in it are replaced */
export async function bundleThreads(dist: string): Promise<void> {
  for (const thread of THREADS) {
    const [directory, name] = [join(dist, thread, '..'), thread.slice(thread.lastIndexOf('/') + 1)];
    rmSync(join(directory, name), { recursive: true, force: true });
    await build({
      configFile: false,
      logLevel: 'warn',
      root: PROJECT,
      ssr: { noExternal: true, target: 'node' },
      build: {
        ssr: join(PROJECT, `${thread}.ts`),
        outDir: directory,
        emptyOutDir: false,
        target: 'node24',
        rolldownOptions: { output: { format: 'es', entryFileNames: `${name}.js`, chunkFileNames: `${name}/[name].js` } },
      },
    });
  }
}

if (import.meta.main) await bundleThreads(join(PROJECT, 'dist'));
