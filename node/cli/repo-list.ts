import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fingerprint, formatFingerprint } from '../../core/trust/fingerprint.ts';
import { loadTrust } from '../../core/trust/load.ts';
import { MossError } from '../../core/error.ts';
import { nodeClock } from '../clock.ts';
import { nodeHasher } from '../hasher.ts';
import type { Layout } from '../store/layout.ts';
import { directoryMetadataStore } from '../trust/metadata-store.ts';
import { nodeVerifier } from '../trust/verifier.ts';
import { formatTime } from '../ui/format.ts';
import { openRepositories } from './catalog.ts';
import type { Context } from './context.ts';

/** What is trusted of a repository, as far as it can be told without asking it. */
interface Trusted {
  fingerprint: string;
  /** The version of the signed targets: the revision of the repository. */
  version: number;
  /** Milliseconds since the epoch. */
  expires: number;
}

export async function run(context: Context): Promise<void> {
  const { output, layout } = context;
  const repositories = (await openRepositories(context)).list();
  const rows = await Promise.all(repositories.map(async ({ name, urls }) => ({ name, urls, trusted: await trustOf(layout, name) })));
  if (rows.length === 0) output.note('There is no repository yet. Add one with `moss repo add NAME URL`.');
  const { bold, dim, yellow } = output.style;
  output.result(
    'repo-list',
    { repositories: rows.map(({ name, urls, trusted }) => ({ name, urls, fingerprint: trusted?.fingerprint ?? null, version: trusted?.version ?? null, expires: trusted?.expires ?? null })) },
    () =>
      rows.flatMap(({ name, urls, trusted }) => {
        const title = `${bold(name)}  ${urls.join('  ')}`;
        if (trusted === undefined) return [title, yellow('  what is signed is not here or is damaged: run `moss repo update`')];
        const until = `${trusted.expires < nodeClock.now() ? 'expired' : 'good until'} ${formatTime(trusted.expires)}`;
        return [title, dim(`  signed version ${trusted.version}, ${until}`), dim(`  root keys  ${formatFingerprint(trusted.fingerprint)}`)];
      }),
  );
}

async function trustOf(layout: Layout, name: string): Promise<Trusted | undefined> {
  const directory = join(layout.repositories, name, 'trust');
  if (!existsSync(directory)) return undefined;
  const deps = { store: directoryMetadataStore(directory), verifier: nodeVerifier(), hasher: nodeHasher, clock: nodeClock };
  try {
    const { metadata, versions, expires } = await loadTrust(deps, { allowExpired: true });
    return { fingerprint: await fingerprint(metadata.root.signed, nodeHasher), version: versions.targets, expires };
  } catch (error) {
    if (error instanceof MossError) return undefined;
    throw error;
  }
}
