/** Peers beside the web servers of a repository, for a command that fetches: asked where the user agreed, and never else. */
import type { SessionOptions } from '../../core/exchange/session.ts';
import type { Source } from '../../core/ports/source.ts';
import type { PeerAccess } from '../peer/peer-access.ts';

/** What is given to a session beside its web servers. */
export type PeerOptions = Pick<SessionOptions, 'join' | 'onBan'> & { known?: readonly Source[] };

/** Fetches with the peers that are there, and those that are found on the way. */
export async function withPeers<T>(peers: PeerAccess | undefined, fetch: (options: PeerOptions) => Promise<T>): Promise<T> {
  if (peers === undefined) return fetch({});
  const leaves: (() => void)[] = [];
  const known = peers.sources;
  try {
    return await fetch({
      known,
      join: (add) => {
        leaves.push(peers.join(known, add));
        return peers.searched();
      },
      onBan: (source: Source, { message }) => {
        if (source.kind !== 'webseed') peers.ban(source.name, message).catch(() => undefined);
      },
    });
  } finally {
    for (const leave of leaves) leave();
  }
}
