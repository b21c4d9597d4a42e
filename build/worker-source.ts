import { build, type Plugin } from 'vite';

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
    load: async (id) => (id === RESOLVED ? `export const source = ${JSON.stringify(await bundleOne(entry))};` : undefined),
  };
}

/** One module with all that it imports, as text. */
export async function bundleOne(entry: string, plugins: Plugin[] = [], define: Record<string, string> = {}): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'warn',
    plugins,
    define,
    build: { write: false, target: 'es2023', lib: { entry, formats: ['es'], fileName: 'module' }, rolldownOptions: { output: { codeSplitting: false } }, minify: true },
  });
  const outputs = Array.isArray(built) ? built : [built];
  const code = outputs.flatMap((each) => ('output' in each ? each.output : [])).flatMap((each) => (each.type === 'chunk' ? [each.code] : []));
  if (code.length !== 1 || code[0] === undefined) throw new Error(`${entry} was to be one file, and became ${code.length}`);
  return code[0];
}
