/** The same update by other programs: only what changed, OSTree's static deltas, casync with a seed, rsync. */
import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Pair } from './pairs.ts';
import { capture, has, run } from './programs.ts';
import type { Figure } from './report.ts';

export interface RivalOptions {
  work: string;
  /** What nginx serves, where, and its log of bytes. */
  served: string;
  url: string;
  log: string;
  pairs: readonly Pair[];
  /** Bytes of the new `.deb` files. */
  deb: number;
  /** Milliseconds of curl and `dpkg-deb -x`. */
  anchor: number;
  title: string;
  note: (text: string) => void;
}

export async function rivals(options: RivalOptions): Promise<Figure[]> {
  const { work, pairs } = options;
  const [old, next] = [join(work, 'tree-old'), join(work, 'tree-new')];
  for (const [tree, debs] of [[old, pairs.map((pair) => pair.old)], [next, pairs.map((pair) => pair.next)]] as const) {
    mkdirSync(tree);
    // Each in a directory of its own: programs of other packages must not stand in for bases.
    for (const [i, deb] of debs.entries()) await run('dpkg-deb', ['-x', deb, join(tree, String(i))]);
    await run('chmod', ['-R', 'u+rwX', tree]);
  }
  const figures: Figure[] = [];
  for (const [name, measure] of Object.entries({ 'changed files, by zstd -19 each': changedFiles, 'OSTree, static delta': ostree, 'casync, with a seed': casync, 'rsync -z': rsync })) {
    const [tool = ''] = name.toLowerCase().match(/ostree|casync|rsync|zstd/) ?? [];
    if (!has(tool)) {
      options.note(`${name}: skipped, ${tool} is not on this machine`);
      continue;
    }
    options.note(name);
    const { bytes, ms } = await measure(options, old, next);
    figures.push({ what: `${options.title}: ${name} ÷ .deb`, value: bytes / options.deb, unit: 'ratio' });
    if (ms !== undefined) figures.push({ what: `${options.title}: ${name}, time ÷ (curl + dpkg-deb -x)`, value: ms / options.anchor, unit: 'ratio' });
  }
  return figures;
}

interface Measured {
  bytes: number;
  ms?: number | undefined;
}

/** Every file whose content is not in the old tree, compressed by itself. */
async function changedFiles({ work }: RivalOptions, old: string, next: string): Promise<Measured> {
  const [before, after] = [await hashes(old), await hashes(next)];
  const changed = join(work, 'changed');
  mkdirSync(changed);
  const fresh = [...after].filter(([hash]) => !before.has(hash));
  for (let at = 0; at < fresh.length; at += 500) {
    await run('sh', ['-c', 'cd "$1" && shift && target=$1 && shift && for pair; do ln "${pair#*:}" "$target/${pair%%:*}"; done', 'sh', next, changed, ...fresh.slice(at, at + 500).map(([hash, path]) => `${hash}:${path}`)]);
  }
  const out = await capture('sh', ['-c', `cd ${changed} && find . -type f -print0 | xargs -0 -r zstd -19 -q -T0 && find . -name '*.zst' -printf '%s\\n'`]);
  rmSync(changed, { recursive: true });
  return { bytes: out.split('\n').reduce((sum, line) => sum + Number(line), 0) };
}

/** A path of each content, by its hash. */
async function hashes(tree: string): Promise<Map<string, string>> {
  const out = await capture('sh', ['-c', `cd ${tree} && find . -type f -print0 | xargs -0 sha256sum`]);
  return new Map(out.split('\n').filter((line) => line.length > 66).map((line): [string, string] => [line.slice(0, 64), line.slice(66)]));
}

async function ostree({ work, served, url, log }: RivalOptions, old: string, next: string): Promise<Measured> {
  const repository = join(served, 'ostree');
  const client = join(work, 'ostree-client');
  const commit = async (tree: string): Promise<string> =>
    (await capture('ostree', ['commit', `--repo=${repository}`, '--branch=bench', '--owner-uid=0', '--owner-gid=0', '--no-xattrs', `--tree=dir=${tree}`])).trim();
  await run('ostree', ['init', `--repo=${repository}`, '--mode=archive']);
  const before = await commit(old);
  await run('ostree', ['summary', `--repo=${repository}`, '-u']);
  await run('ostree', ['init', `--repo=${client}`, '--mode=bare-user']);
  await run('ostree', ['remote', 'add', `--repo=${client}`, '--no-gpg-verify', 'bench', `${url}/ostree`]);
  await run('ostree', ['pull', `--repo=${client}`, 'bench', 'bench']);
  const after = await commit(next);
  await run('ostree', ['static-delta', 'generate', `--repo=${repository}`, `--from=${before}`, `--to=${after}`]);
  await run('ostree', ['summary', `--repo=${repository}`, '-u']);
  await run('sync', []);
  truncateSync(log);
  const pull = await run('ostree', ['pull', `--repo=${client}`, '--require-static-deltas', 'bench', 'bench']);
  const bytes = bytesOf(log);
  const checkout = await run('ostree', ['checkout', `--repo=${client}`, '-U', '-H', after, join(work, 'ostree-tree')]);
  for (const path of [repository, client, join(work, 'ostree-tree')]) rmSync(path, { recursive: true, force: true });
  return { bytes, ms: pull.ms + checkout.ms };
}

async function casync({ work, served, url, log }: RivalOptions, old: string, next: string): Promise<Measured> {
  const store = join(served, 'casync.castr');
  const index = join(served, 'next.caidx');
  await run('casync', ['make', `--store=${store}`, '--without=privileged', index, next]);
  const target = join(work, 'casync-tree');
  truncateSync(log);
  const { ms } = await run('casync', ['extract', `--store=${url}/casync.castr`, `--seed=${old}`, '--without=privileged', `${url}/${basename(index)}`, target]);
  const bytes = bytesOf(log);
  for (const path of [store, index, target]) rmSync(path, { recursive: true, force: true });
  return { bytes, ms };
}

async function rsync({ work }: RivalOptions, old: string, next: string): Promise<Measured> {
  const target = join(work, 'rsync-tree');
  await run('cp', ['-a', old, target]);
  const { stdout, ms } = await run('rsync', ['-rlpz', '--checksum', '--no-whole-file', '--delete', '--stats', `${next}/`, `${target}/`], { output: true });
  if (!existsSync(target)) throw new Error('rsync made nothing');
  rmSync(target, { recursive: true });
  const sum = [/Total bytes sent: ([\d,]+)/, /Total bytes received: ([\d,]+)/].map((pattern) => Number((pattern.exec(stdout)?.[1] ?? '').replaceAll(',', '')));
  return { bytes: sum.reduce((all, each) => all + each, 0), ms };
}

function bytesOf(log: string): number {
  return readFileSync(log, 'utf8').split('\n').reduce((sum, line) => sum + Number(line), 0);
}
