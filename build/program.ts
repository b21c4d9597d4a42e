/**
 * Makes few files of the program: what a command takes to start is finding and reading its modules, of which there are
 * some two hundred otherwise, and five hundred more of libp2p in the thread that asks peers. It is 45 ms of a processor
 * for a change, 35 of 80 ms for a thread of the store, and half a second for the other one (measured).
 */
import { rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'vite';

const PROJECT = join(import.meta.dirname, '..');

/** What nearly all commands use. What listening for peers needs is much, and partly not JavaScript: it stays where npm put it. */
const LIBRARIES = /^(?:commander|multiformats|smol-toml|cborg|@ipld\/.*)(?:\/|$)/;

/** Where each begins, without the ending, and the libraries that are in it. */
const ENTRIES: readonly (readonly [entry: string, libraries: RegExp | true])[] = [
  ['node/main', LIBRARIES],
  ['node/peer/asking-thread', true],
  ['node/store/store-worker', true],
];

/** @param dist where `tsc` wrote the program: the entries in it are replaced; what they load later on lies in directories of their names */
export async function bundleProgram(dist: string): Promise<void> {
  for (const [entry, libraries] of ENTRIES) {
    rmSync(join(dist, entry), { recursive: true, force: true });
    await build({
      configFile: false,
      logLevel: 'warn',
      root: PROJECT,
      plugins: [keepPlaces],
      ssr: { noExternal: libraries, target: 'node' },
      build: {
        ssr: join(PROJECT, `${entry}.ts`),
        outDir: dist,
        emptyOutDir: false,
        target: 'node24',
        rolldownOptions: { output: { format: 'es', entryFileNames: `${entry}.js`, chunkFileNames: `${entry}/[name].js` } },
      },
    });
  }
}

const PLACE = 'place-in-dist:';

/** A module finds files beside it, such as a thread's, as if it were still where `tsc` put it. */
const keepPlaces: Plugin = {
  name: 'keep-places',
  enforce: 'pre',
  transform(code, id) {
    const place = relative(PROJECT, id);
    if (!place.startsWith('node/') || !code.includes('import.meta.')) return undefined;
    return { code: code.replaceAll('import.meta.url', `new URL('${PLACE}${place.replace(/\.ts$/, '.js')}', import.meta.url).href`), map: null };
  },
  renderChunk(code, { fileName }) {
    if (!code.includes(PLACE)) return undefined;
    return { code: code.replaceAll(new RegExp(`${PLACE}([^'"\`]+)`, 'g'), (_, place: string) => `./${relative(dirname(fileName), place)}`), map: null };
  },
};

if (import.meta.main) await bundleProgram(join(PROJECT, 'dist'));
