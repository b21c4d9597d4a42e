/** The index of a large repository: Debian's own packages, metadata only. What an update fetches, and what asking costs. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cborBlock } from '../../core/dag/block.ts';
import { parseCid } from '../../core/dag/cid.ts';
import { rootValue } from '../../core/dag/root.ts';
import { encodeIndex, type IndexEntry } from '../../core/repo/index-file.ts';
import { nodeClock } from '../../node/clock.ts';
import { nodeHasher } from '../../node/hasher.ts';
import { startStaticServer } from '../../node/net/static-server.ts';
import { writeIndex } from '../../node/publish/index-file.ts';
import { Repository } from '../../node/publish/site.ts';
import { currentRoot } from '../../node/trust/current.ts';
import { createRepository, signSite } from '../../node/trust/repository.ts';
import { debianIndex, keyOf } from './debian-index.ts';
import { builtMoss, run, type Ran } from './programs.ts';
import { median, type Figure } from './report.ts';
import type { Bench } from './run.ts';

const DAYS = 7;

export const bench: Bench = async ({ cache, rounds, note }) => {
  const moss = await builtMoss(cache);
  const { base, updates, weeks } = await debianIndex();
  const directory = join(cache, 'index-repository');
  const root = join(cache, 'index-root');
  for (const path of [directory, root, join(cache, 'index-debs')]) rmSync(path, { recursive: true, force: true });
  await createRepository(directory, { name: 'debian', clock: nodeClock });
  // A week's share of the updates, whole source packages, in an order that means nothing; the rest comes at once later.
  const sources = [...updates.keys()].toSorted((a, b) => (digest(a) < digest(b) ? -1 : 1));
  const week = sources.slice(0, Math.ceil(sources.length / weeks));
  let served = 0;
  let requests = 0;
  const server = await startStaticServer({
    directory: join(directory, 'site'),
    host: '127.0.0.1',
    port: 0,
    onRequest: ({ bytes }) => {
      served += bytes;
      requests++;
    },
  });
  const ask = async (...args: string[]): Promise<Ran & { served: number; requests: number }> => {
    served = 0;
    requests = 0;
    return { ...(await run(process.execPath, [moss, ...args, '-D', root], { output: true })), served, requests };
  };
  try {
    const packages = new Map(base);
    note(`publishing ${packages.size} packages`);
    const publishing = await publishIndex(directory, packages);
    const first = await ask('repo', 'add', 'debian', server.url, '--yes');
    const nothing = await ask('repo', 'update');
    let daily = 0;
    for (let day = 0; day < DAYS; day++) {
      for (const source of week.slice(Math.ceil((day * week.length) / DAYS), Math.ceil(((day + 1) * week.length) / DAYS))) {
        for (const entry of updates.get(source) ?? []) packages.set(keyOf(entry), entry);
      }
      note(`publishing day ${day + 1}`);
      daily = await publishIndex(directory, packages);
    }
    const changed = week.reduce((sum, source) => sum + (updates.get(source)?.length ?? 0), 0);
    const oneWeek = await ask('repo', 'update');
    for (const source of sources.slice(week.length)) for (const entry of updates.get(source) ?? []) packages.set(keyOf(entry), entry);
    note('publishing all other updates at once');
    await publishIndex(directory, packages);
    const all = await ask('repo', 'update');
    const figures: Figure[] = [
      { what: 'packages', value: base.size, unit: 'count', goal: { least: 60_000 } },
      { what: 'index', value: encodeIndex(base.values()).length / 1e6, unit: 'MB' },
      { what: 'whole index, fetched', value: first.served / 1e6, unit: 'MB' },
      { what: 'one week of updates: packages', value: changed, unit: 'count' },
      { what: `the same, fetched after ${DAYS} daily revisions`, value: oneWeek.served / 1000, unit: 'KB', goal: { most: 150 } },
      { what: 'the same, requests', value: oneWeek.requests, unit: 'count' },
      { what: `${weeks - 1} weeks of updates in one revision: packages`, value: [...updates.values()].flat().length - changed, unit: 'count' },
      { what: 'the same, fetched', value: all.served / 1000, unit: 'KB', goal: { most: 150 } },
      { what: 'nothing new, fetched', value: nothing.served / 1000, unit: 'KB' },
      { what: 'repo add: all fetched', value: first.ms / 1000, unit: 's' },
      { what: 'repo update: one week', value: oneWeek.ms / 1000, unit: 's' },
      { what: 'repo update: peak memory', value: Math.max(oneWeek.peak, all.peak) / 1e6, unit: 'MB' },
      { what: 'publishing the first index', value: publishing / 1000, unit: 's' },
      { what: 'publishing a later one with its deltas', value: daily / 1000, unit: 's' },
    ];
    // Real packages among the others, so that an install can be planned to its end.
    const debs = join(cache, 'index-debs');
    mkdirSync(debs, { recursive: true });
    await run('apt-get', ['download', '-qq', 'ripgrep', 'libc6', 'libgcc-s1', 'gcc-12-base', 'libpcre2-8-0'], { cwd: debs });
    const files = readdirSync(debs).map((name) => join(debs, name));
    figures.push({ what: `moss publish of ${files.length} packages into it`, value: (await run(process.execPath, [moss, 'publish', directory, ...files])).ms / 1000, unit: 's' });
    await ask('repo', 'update');
    for (const question of [['search', 'ripgrep'], ['search', 'library'], ['info', 'ripgrep'], ['install', 'ripgrep', '--dry-run'], ['list', '--available']]) {
      const times: Ran[] = [];
      for (let round = 0; round < rounds; round++) times.push(await ask(...question));
      figures.push(
        { what: `moss ${question.join(' ')}`, value: median(times.map(({ ms }) => ms)) / 1000, unit: 's' },
        { what: 'the same, peak memory', value: median(times.map(({ peak }) => peak)) / 1e6, unit: 'MB' },
      );
    }
    return figures;
  } finally {
    await server.close();
    for (const path of [directory, root, join(cache, 'index-debs')]) rmSync(path, { recursive: true, force: true });
  }
};

/** A new revision of these packages, as `moss publish` ends: only the manifests are not there. @returns milliseconds */
async function publishIndex(directory: string, packages: ReadonlyMap<string, IndexEntry>): Promise<number> {
  const start = performance.now();
  const repository = Repository.open(directory);
  const cid = await currentRoot(directory);
  const current = cid && { cid, root: await repository.root(cid) };
  const root = await cborBlock(
    rootValue({
      name: 'debian',
      revision: (current?.root.revision ?? 0) + 1,
      index: await writeIndex(repository, encodeIndex(packages.values()), current),
      manifests: [...packages.values()].slice(0, 1).map(({ manifest }) => parseCid(manifest)),
      previous: cid,
    }),
    nodeHasher,
  );
  await repository.blocks.put(root.cid, root.bytes);
  await signSite(directory, { rootCid: root.cid, rootSize: root.bytes.length, clock: nodeClock });
  return performance.now() - start;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
