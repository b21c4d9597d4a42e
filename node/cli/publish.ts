import { resolve } from 'node:path';
import { MossError } from '../../core/error.ts';
import { publisherClock } from '../clock.ts';
import { listInputs } from '../publish/inputs.ts';
import { DEFAULT_DELTAS } from '../publish/deltas/deltas.ts';
import { publish } from '../publish/publish.ts';
import { currentRoot, repositoryName } from '../trust/current.ts';
import { signSite } from '../trust/repository.ts';
import { repositoryStatus } from '../trust/repository-status.ts';
import { count, formatBytes, formatDuration } from '../ui/format.ts';
import type { Context } from './context.ts';
import { listOption, numberOption, textOption } from './options.ts';
import { readPassphrase } from './passphrase.ts';

export async function run(context: Context, [directory = '.', ...inputs]: string[], options: Record<string, unknown>): Promise<void> {
  const { output, signal } = context;
  const path = resolve(directory);
  const remove = listOption(options, 'remove') ?? [];
  if (inputs.length === 0 && remove.length === 0) throw new MossError('usage', 'nothing to publish', { hint: 'Give package files or directories.' });
  const clock = publisherClock(context.environment);
  const passphrase = readPassphrase(options, context.environment);
  if (context.dryRun) {
    const files = await listInputs(inputs.map((input) => resolve(input)));
    output.result('publish-plan', { inputs: files, remove, dryRun: true }, () => [...files.map((file) => `Would publish ${file}`), ...remove.map((name) => `Would take out ${name}`)]);
    return;
  }
  const start = performance.now();
  const done = await publish({
    directory: path,
    inputs: inputs.map((input) => resolve(input)),
    words: { name: textOption(options, 'name'), version: textOption(options, 'packageVersion'), prefix: textOption(options, 'prefix') },
    remove,
    deltas: {
      releases: numberOption(options, 'deltas') ?? DEFAULT_DELTAS.releases,
      share: (numberOption(options, 'deltaShare') ?? DEFAULT_DELTAS.share * 100) / 100,
    },
    repository: await repositoryName(path),
    current: () => currentRoot(path),
    sign: async ({ cid, size }) => {
      await signSite(path, { rootCid: cid, rootSize: size, passphrase, clock });
    },
    onEvent: output.onEvent,
    signal,
  });
  const { warnings } = await repositoryStatus(path, { clock });
  for (const { message } of warnings) output.warn(message);
  const ms = performance.now() - start;
  const { root, scripts, ...figures } = done;
  output.result('publish', { ...figures, root: root.toString(), scripts, milliseconds: Math.round(ms) }, () => [
    done.changed
      ? `Published revision ${done.revision}: ${count(done.packages, 'package')} (${done.packed} packed, ${done.unchanged} unchanged${done.removed > 0 ? `, ${done.removed} removed` : ''}) in ${formatDuration(ms)}.`
      : `Nothing is new: revision ${done.revision} stays, with ${count(done.packages, 'package')}.`,
    ...(done.frameBytes > 0
      ? [`${formatBytes(done.inputBytes)} of packages, ${formatBytes(done.frameBytes)} of frames, ${formatBytes(done.manifestBytes)} of manifests.`]
      : []),
    ...(done.deltas > 0 ? [`${count(done.deltas, 'delta')} from earlier releases (${done.deltasMade} made now), ${formatBytes(done.deltaBytes)}.`] : []),
    ...(scripts.length > 0 ? [`Maintainer scripts are recorded and not run: ${scripts.map(({ name, scripts: some }) => `${name} (${some.join(', ')})`).join('; ')}`] : []),
    `The site is ${path}/site: any static web server can host it.`,
  ]);
}
