import { cidOf, DAG_CBOR, type Cid } from '../../core/dag/cid.ts';
import { parseTargets } from '../../core/trust/metadata.ts';
import { MossError } from '../../core/error.ts';
import { REPOSITORY_TARGET } from '../../core/trust/trusted.ts';
import { decodeHex } from '../../core/trust/text.ts';
import { repositoryStatus } from './repository-status.ts';
import { readRevision } from './site.ts';
import { nodeClock } from '../clock.ts';

/** The root block that a repository signed last; `undefined` before the first publication. */
export async function currentRoot(directory: string): Promise<Cid | undefined> {
  const revision = await readRevision(directory);
  const target = revision && parseTargets(revision.targets).signed.targets.get(REPOSITORY_TARGET);
  if (target === undefined) return undefined;
  const digest = decodeHex(target.hashes.get('sha256') ?? '');
  if (digest === undefined) throw new MossError('bad-metadata', `the targets of ${directory} give no SHA-256 of the root block`);
  return cidOf(DAG_CBOR, digest);
}

export async function repositoryName(directory: string): Promise<string> {
  return (await repositoryStatus(directory, { clock: nodeClock })).name ?? 'repository';
}
