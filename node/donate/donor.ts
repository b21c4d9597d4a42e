/** The donor of `moss donate`: what a tab is, without a browser. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RepositoryDonor } from '../../core/donate/repository-donor.ts';
import { nodeClock } from '../clock.ts';
import { nodeHasher } from '../hasher.ts';
import { nodeFetch } from '../net/fetch.ts';
import { nodeRandom } from '../random.ts';
import { BlockDirectory } from '../store/block-directory.ts';
import { directoryMetadataStore } from '../trust/metadata-store.ts';
import { nodeVerifier } from '../trust/verifier.ts';
import { nodeCompressor } from '../zstd.ts';
import { hostNetwork, type HostNetworkOptions } from './host-network.ts';

export interface NodeDonorOptions extends Omit<HostNetworkOptions, 'state'> {
  /** Where blocks, records and the identity are kept. */
  directory: string;
}

export function makeDonor({ directory, ...listening }: NodeDonorOptions): RepositoryDonor {
  const records = join(directory, 'records');
  mkdirSync(records, { recursive: true, mode: 0o700 });
  return new RepositoryDonor({
    storage: { blocks: new BlockDirectory(join(directory, 'blocks')), records: directoryMetadataStore(records) },
    openNetwork: hostNetwork({ state: directory, ...listening }),
    fetch: nodeFetch,
    clock: nodeClock,
    minuteOfDay: () => {
      const now = new Date();
      return 60 * now.getHours() + now.getMinutes();
    },
    hasher: nodeHasher,
    random: nodeRandom,
    verifier: nodeVerifier(),
    decompressor: nodeCompressor,
  });
}
