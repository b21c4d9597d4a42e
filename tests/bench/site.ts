/** A repository of the corpus, published once with the present sources and kept in the cache. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Corpus } from './corpus.ts';
import { run } from './programs.ts';

export interface PublishFigures {
  inputBytes: number;
  frameBytes: number;
  manifestBytes: number;
  milliseconds: number;
  packages: number;
}

/**
 * @param fresh publish again even if there is a site from an earlier run
 * @returns the site's directory, and what `moss publish --json` said
 */
export async function publishedSite(cache: string, moss: string, { files }: Corpus, { fresh }: { fresh: boolean }): Promise<{ site: string; figures: PublishFigures }> {
  const directory = join(cache, 'repository');
  const note = join(cache, 'published.json');
  if (fresh || !existsSync(note)) {
    rmSync(note, { force: true });
    rmSync(directory, { recursive: true, force: true });
    await run(process.execPath, [moss, 'repo', 'init', directory, '--name', 'bench']);
    const { stdout } = await run(process.execPath, [moss, 'publish', '--json', directory, ...files], { output: true });
    writeFileSync(note, stdout);
  }
  return { site: join(directory, 'site'), figures: parseFigures(readFileSync(note, 'utf8')) };
}

function parseFigures(text: string): PublishFigures {
  const value: unknown = JSON.parse(text);
  const number = (name: string): number => {
    const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
    if (typeof found !== 'number') throw new Error(`moss publish --json says no ${name}`);
    return found;
  };
  return {
    inputBytes: number('inputBytes'),
    frameBytes: number('frameBytes'),
    manifestBytes: number('manifestBytes'),
    milliseconds: number('milliseconds'),
    packages: number('packages'),
  };
}
