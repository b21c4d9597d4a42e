/** Peers beside the web servers of a repository, for a command that fetches: asked where the user agreed, and never else. */
import { MossError } from '../../core/error.ts';
import type { SessionOptions } from '../../core/exchange/session.ts';
import type { Source } from '../../core/ports/source.ts';
import type { PeerAccess } from '../peer/peer-access.ts';

/** What is given to a session beside its web servers. */
export type PeerOptions = Pick<SessionOptions, 'join' | 'onBan'> & { known?: readonly Source[] };

/** What may be had later, or from somebody else. */
const UNAVAILABLE: ReadonlySet<string> = new Set(['no-source', 'source-failed']);

/**
 * Fetches with the peers that are there, and those that are found on the way. Where it fails before any was found, the
 * search gets its time, and it is tried once more: what was taken in by then must not be asked for again.
 */
export async function withPeers<T>(peers: PeerAccess | undefined, fetch: (options: PeerOptions) => Promise<T>): Promise<T> {
  if (peers === undefined) return fetch({});
  const attempt = async (): Promise<T> => {
    const leaves: (() => void)[] = [];
    const known = peers.sources;
    try {
      return await fetch({
        known,
        join: (add) => leaves.push(peers.join(known, add)),
        onBan: (source: Source, { message }) => {
          if (source.kind !== 'webseed') peers.ban(source.name, message).catch(() => undefined);
        },
      });
    } finally {
      for (const leave of leaves) leave();
    }
  };
  const before = peers.sources.length;
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof MossError) || !UNAVAILABLE.has(error.code) || before > 0 || !(await peers.hasPeers())) throw error;
    return attempt();
  }
}
