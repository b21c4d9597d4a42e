/**
 * Builds `dist/web/`: the donate page, the loader of the embedded element, and the engine that both load after consent.
 * Says how large they are and which hashes they have, and fails when one is larger than it may be.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { slimLibp2p } from './slim-libp2p.ts';
import { bundleOne, workerSource } from './worker-source.ts';

const PROJECT = join(import.meta.dirname, '..');
const WEB = join(PROJECT, 'web');

/** Bytes after gzip, at most. */
export const BUDGETS = { loader: 10 * 1024, engine: 150 * 1024, page: 40 * 1024 } as const;

export interface BuiltFile {
  name: string;
  bytes: number;
  gzip: number;
  /** As in the attribute `integrity`. */
  integrity: string;
}

export interface BuiltWeb {
  /** Bytes after gzip: the loader, the engine, and all that the page loads before consent. */
  sizes: Record<keyof typeof BUDGETS, number>;
  files: BuiltFile[];
}

export interface WebBuildOptions {
  /** Removed first, when it is there. */
  directory: string;
  /** Another engine, for tests of the page. */
  engine?: string;
}

export async function buildWeb({ directory, engine: entry = join(WEB, 'engine.ts') }: WebBuildOptions): Promise<BuiltWeb> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const engine = await bundleOne(entry, [workerSource(join(WEB, 'store/worker.ts')), slimLibp2p()]);
  const hash = createHash('sha256').update(engine).digest('hex').slice(0, 10);
  const file = `moss-engine.${hash}.js`;
  writeFileSync(join(directory, file), engine);
  const define = { __ENGINE__: JSON.stringify({ file, integrity: integrityOf(Buffer.from(engine)) }) };
  await buildPages(directory, define);
  cpSync(join(WEB, 'examples'), join(directory, 'examples'), { recursive: true });
  // For sites that have a first page of their own.
  copyFileSync(join(directory, 'index.html'), join(directory, 'donate.html'));
  return measured(directory);
}

/** Stable names: a site that embeds the element, and a publisher who copies the page, can rely on them. */
async function buildPages(directory: string, define: Record<string, string>): Promise<void> {
  const common = { configFile: false, logLevel: 'warn', root: WEB, base: './', define } as const;
  // By itself: a site that embeds it loads one file.
  writeFileSync(join(directory, 'moss-seeder.js'), await bundleOne(join(WEB, 'embed.ts'), [slimLibp2p()], define));
  await build({
    ...common,
    build: {
      outDir: directory,
      emptyOutDir: false,
      target: 'es2023',
      modulePreload: { polyfill: false },
      rolldownOptions: { input: { page: join(WEB, 'index.html'), frame: join(WEB, 'frame.html') }, output: { entryFileNames: 'moss-[name].js', chunkFileNames: 'moss-[name].js', assetFileNames: 'moss-[name][extname]' } },
    },
  });
}

function measured(directory: string): BuiltWeb {
  const names = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  const files = names
    .map(({ name }) => name)
    .toSorted()
    .map((name) => {
      const bytes = readFileSync(join(directory, name));
      return { name, bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, integrity: integrityOf(bytes) };
    });
  const sum = (is: (name: string) => boolean): number => files.filter(({ name }) => is(name)).reduce((total, { gzip }) => total + gzip, 0);
  return {
    files,
    sizes: {
      loader: sum((name) => name === 'moss-seeder.js'),
      engine: sum((name) => name.startsWith('moss-engine.')),
      page: sum((name) => name === 'index.html' || name.startsWith('moss-page')),
    },
  };
}

function integrityOf(bytes: Uint8Array): string {
  return `sha384-${createHash('sha384').update(bytes).digest('base64')}`;
}

/** Lines for a person, and what is too large. */
export function reportOf({ files, sizes }: BuiltWeb): { lines: string[]; excesses: string[] } {
  const lines = files.map(({ name, gzip, integrity }) => `  ${name.padEnd(28)} ${(gzip / 1000).toFixed(1).padStart(6)} kB gzip  ${name.endsWith('.js') ? integrity : ''}`.trimEnd());
  const names = ['loader', 'engine', 'page'] as const;
  return {
    lines,
    excesses: names.filter((name) => sizes[name] > BUDGETS[name]).map((name) => `the ${name} has ${sizes[name]} bytes after gzip, and may have ${BUDGETS[name]}`),
  };
}

if (import.meta.main) {
  const { lines, excesses } = reportOf(await buildWeb({ directory: join(PROJECT, 'dist/web') }));
  process.stdout.write(`dist/web\n${lines.join('\n')}\n`);
  for (const excess of excesses) process.stderr.write(`error: ${excess}\n`);
  if (excesses.length > 0) process.exitCode = 1;
}
