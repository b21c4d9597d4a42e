/** The corpus on a web server at the end of a line, in network namespaces, and machines that install from it. */
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Network, noNetwork, type Machine } from '../e2e/network.ts';
import { corpus } from './corpus.ts';
import { on, type Line } from './others/ways.ts';
import { builtMoss, capture, freshDirectory, run, SkippedError } from './programs.ts';
import { publishedSite } from './site.ts';

/** What is installed where a round must not take long. */
export const PACKAGES: readonly string[] = ['git', 'python3', 'vim'];
export const ENVIRONMENT = { ...process.env, XDG_CONFIG_HOME: '/nonexistent', MOSS_ROOT: undefined };

export interface ServedLine extends Line {
  moss: string;
  /** Installs the packages into a new root. @returns milliseconds of `moss install` alone */
  install(machine: Machine, options: { share: boolean; root?: string }): Promise<number>;
}

/**
 * @param names what is installed; without it, the whole corpus
 * @throws SkippedError where there can be no such network
 */
export async function withServedLine<T>(cache: string, { name, names }: { name: string; names?: readonly string[] | undefined }, work: (line: ServedLine) => Promise<T>): Promise<T> {
  const obstacle = noNetwork();
  if (obstacle !== undefined) throw new SkippedError(obstacle);
  const packages = await corpus(cache);
  const moss = await builtMoss(cache);
  const { site } = await publishedSite(cache, moss, packages, { fresh: false });
  const wanted = names ?? packages.names;
  const network = new Network(name);
  const home = join(cache, name);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  try {
    const debs = await closureOf(packages.files, wanted, { moss, site, cache });
    const [origin, client] = [network.machine('origin'), network.machine('client')];
    const web = network.start(origin, [process.execPath, moss, 'serve', join(site, '..'), '--host', origin.address, '--port', '8787', '--no-peer'], ENVIRONMENT);
    await once(web.stdout ?? web, 'data');
    const install: ServedLine['install'] = async (machine, { share, root = freshDirectory(cache) }) => {
      await on(machine, process.execPath, moss, 'repo', 'add', 'bench', `http://${origin.address}:8787`, '-D', root, '--yes', '--quiet');
      if (share) await on(machine, process.execPath, moss, 'share', 'on', '--scope', 'lan', '-D', root, '--yes');
      return on(machine, process.execPath, moss, 'install', '-D', root, '--yes', '--no-progress', ...wanted);
    };
    return await work({ network, origin, client, home, debs, cache, env: ENVIRONMENT, moss, install });
  } finally {
    await network.remove();
    rmSync(home, { recursive: true, force: true });
  }
}

/** The `.deb` files of what moss would install for these names. */
async function closureOf(files: readonly string[], wanted: readonly string[], { moss, site, cache }: { moss: string; site: string; cache: string }): Promise<string[]> {
  const root = freshDirectory(cache);
  await run(process.execPath, [moss, 'repo', 'add', 'bench', site, '-D', root, '--yes', '--quiet']);
  const plan: unknown = JSON.parse(await capture(process.execPath, [moss, 'install', '-D', root, '--yes', '--dry-run', '--json', ...wanted]));
  const text = JSON.stringify(plan);
  const closure = new Set([...text.matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name));
  return files.filter((file) => closure.has(basename(file).split('_')[0]));
}
