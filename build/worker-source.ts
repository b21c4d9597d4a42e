import { build, type Plugin } from 'vite';
import { slimLibp2p } from './slim-libp2p.ts';

const NAME = 'virtual:store-worker';
const RESOLVED = `\0${NAME}`;

/**
 * A module whose `source` is the worker with all that it imports, as text. vite's own `?worker&inline` starts workers
 * from `data:` addresses where a blob is refused, and knows no trusted types.
 */
export function workerSource(entry: string): Plugin {
  return {
    name: 'moss-worker-source',
    resolveId: (id) => (id === NAME ? RESOLVED : undefined),
    load: async (id) => (id === RESOLVED ? `export const source = ${JSON.stringify(await bundleOne(entry, [slimLibp2p()]))};` : undefined),
  };
}

/** One module with all that it imports, as text. */
export async function bundleOne(entry: string, plugins: Plugin[] = [], define: Record<string, string> = {}): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    plugins,
    define,
    // Not vite's library mode, which leaves the white space of modules as it is.
    build: { write: false, target: 'es2023', modulePreload: false, rolldownOptions: { input: entry, preserveEntrySignatures: 'strict', treeshake: { moduleSideEffects: false, propertyReadSideEffects: false }, output: { format: 'es', codeSplitting: false } } },
  });
  const outputs = Array.isArray(built) ? built : [built];
  const code = outputs.flatMap((each) => ('output' in each ? each.output : [])).flatMap((each) => (each.type === 'chunk' ? [each.code] : []));
  if (code.length !== 1 || code[0] === undefined) throw new Error(`${entry} was to be one file, and became ${code.length}`);
  return code[0];
}
