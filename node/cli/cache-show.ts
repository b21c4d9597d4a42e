import { CACHE_PARTS, measureCache, total } from '../system/cache.ts';
import { count, formatBytes, table } from '../ui/format.ts';
import type { Context } from './context.ts';

const MEANINGS = {
  store: 'content of files, once each; states link to it',
  symlinks: 'symbolic links, once each; states have names of them',
  blocks: 'manifests and file tables',
  staging: 'what an interrupted run brought: the next one takes it up',
  quarantine: 'files that were found altered',
};

export async function run({ layout, output }: Context): Promise<void> {
  const sizes = measureCache(layout);
  const all = total(sizes);
  const { dim, bold } = output.style;
  output.result('cache-show', { ...sizes, total: all }, () =>
    table([
      ...CACHE_PARTS.map((part) => [part, formatBytes(sizes[part].bytes).padStart(8), count(sizes[part].files, 'file'), dim(MEANINGS[part])]),
      [bold('all'), bold(formatBytes(all.bytes).padStart(8)), count(all.files, 'file')],
    ]),
  );
}
