import { existsSync } from 'node:fs';
import { loadSettings, userSettingsFile } from '../config/settings.ts';
import { CACHE_PARTS, measureCache, total } from '../system/cache.ts';
import { measureRoot } from '../system/space.ts';
import { count, formatBytes, table } from '../ui/format.ts';
import type { Context } from './context.ts';

const MEANINGS = {
  store: 'content of files, once each; states link to it',
  symlinks: 'symbolic links, once each; states have names of them',
  blocks: 'manifests and file tables',
  staging: 'what an interrupted run brought: the next one takes it up',
  quarantine: 'files that were found altered',
};

export async function run({ layout, output, environment }: Context): Promise<void> {
  const { 'store-quota': quota } = await loadSettings([userSettingsFile(environment), layout.settings]);
  const used = existsSync(layout.moss) ? measureRoot(layout) : 0;
  const sizes = measureCache(layout);
  const all = total(sizes);
  const { dim, bold } = output.style;
  output.result('cache-show', { ...sizes, total: all, used, quota }, () => [
    ...table([
      ...CACHE_PARTS.map((part) => [part, formatBytes(sizes[part].bytes).padStart(8), count(sizes[part].files, 'file'), dim(MEANINGS[part])]),
      [bold('all'), bold(formatBytes(all.bytes).padStart(8)), count(all.files, 'file')],
    ]),
    `With states and records, moss takes ${formatBytes(used)} here${quota === 0 ? ', and store-quota sets no limit' : ` of the ${formatBytes(quota)} of store-quota`}.`,
    ...(quota > 0 && used > quota ? [output.style.red('That is more than allowed: changes that add to it are refused; `moss state prune` and `moss cache prune` make room.')] : []),
  ]);
}
