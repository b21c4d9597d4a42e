/**
 * Makes one file of the thread that asks peers, with all that it imports of libp2p: five hundred modules, which take half
 * a second of a processor to find and to read, take 70 ms so (measured). The other programs load libp2p as it is.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const PROJECT = join(import.meta.dirname, '..');

/** @param dist where `tsc` wrote the program: the thread in it is replaced */
export async function bundleAskingThread(dist: string): Promise<void> {
  const directory = join(dist, 'node/peer');
  rmSync(join(directory, 'asking'), { recursive: true, force: true });
  await build({
    configFile: false,
    logLevel: 'warn',
    root: PROJECT,
    ssr: { noExternal: true, target: 'node' },
    build: {
      ssr: join(PROJECT, 'node/peer/asking-thread.ts'),
      outDir: directory,
      emptyOutDir: false,
      target: 'node24',
      // What the swarm takes is loaded where it is asked.
      rolldownOptions: { output: { format: 'es', entryFileNames: 'asking-thread.js', chunkFileNames: 'asking/[name].js' } },
    },
  });
}

if (import.meta.main) await bundleAskingThread(join(PROJECT, 'dist'));
