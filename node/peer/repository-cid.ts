import { cidOf, RAW, type Cid } from '../../core/dag/cid.ts';
import { nodeHasher } from '../hasher.ts';

/**
 * The name under which the peers of a repository find each other in the swarm. It is a hash: who does not know the
 * repository cannot tell which one it is.
 *
 * @param fingerprint of its root keys, 32 bytes
 */
export function repositoryCid(fingerprint: Uint8Array): Cid {
  return cidOf(RAW, nodeHasher.sha256(Buffer.concat([Buffer.from('moss repository\0'), fingerprint])));
}
