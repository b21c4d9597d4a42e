/** Where a donor finds peers: what a site names in `moss.json`, and what its routing endpoint knows of the repository. */
import { decode as decodeJson } from 'multiformats/codecs/json';
import { Fields } from '../dag/fields.ts';
import { fetchBytes } from '../exchange/http.ts';
import { repositoryCid } from '../exchange/repository-cid.ts';
import { parseSiteHints } from '../exchange/site-hints.ts';
import type { AbortOptions } from '../ports/abort.ts';
import type { Clock } from '../ports/clock.ts';
import type { Fetch } from '../ports/fetch.ts';
import type { Hasher } from '../ports/hasher.ts';
import { decodeHex } from '../trust/text.ts';

export interface MeetingDeps extends AbortOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly hasher: Hasher;
}

const MAX_HINTS = 64 * 1024;
const MAX_PROVIDERS = 256 * 1024;
const TIMEOUT = 8000;
/** Records of an answer that are read, addresses of each, and characters of an address. */
const RECORDS = 64;
const ADDRESSES = 16;
const LENGTH = 512;

/**
 * Multiaddrs of peers, those of one peer together, each with the peer's id. Nobody signed them: they are worth a try,
 * and no more. Nothing is thrown: a site need not have any of this.
 *
 * @param fingerprint 64 hex digits; without it, the routing endpoint is not asked
 */
export async function findPeers(url: string, fingerprint: string | undefined, deps: MeetingDeps): Promise<string[][]> {
  const [hints, providers] = await Promise.all([askHints(url, deps).catch(() => []), fingerprint === undefined ? [] : askRouting(url, fingerprint, deps).catch(() => [])]);
  return [...byPeer([...hints, ...providers]).values()];
}

async function askHints(url: string, deps: MeetingDeps): Promise<string[]> {
  const { peers, relays } = parseSiteHints(await fetchBytes(`${url}/moss.json`, { ...deps, maxBytes: MAX_HINTS, stallTimeout: TIMEOUT }));
  return [...peers, ...relays];
}

/** IPFS's Delegated Routing V1 HTTP API. */
async function askRouting(url: string, fingerprint: string, deps: MeetingDeps): Promise<string[]> {
  const cid = await repositoryCid(decodeHex(fingerprint) ?? new Uint8Array(), deps.hasher);
  const bytes = await fetchBytes(`${url}/routing/v1/providers/${cid.toString()}`, { ...deps, maxBytes: MAX_PROVIDERS, stallTimeout: TIMEOUT });
  const answer = new Fields(decodeJson(bytes), 'bad-metadata', 'providers');
  return answer
    .maps('Providers')
    .slice(0, RECORDS)
    .flatMap((record) => {
      const id = record.text('ID', LENGTH);
      const addresses = record.texts('Addrs').filter((address) => address.length <= LENGTH);
      return addresses.slice(0, ADDRESSES).map((address) => (address.includes(`/p2p/${id}`) && address.endsWith(id) ? address : `${address}/p2p/${id}`));
    });
}

function byPeer(addresses: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const address of addresses) {
    const id = address.slice(address.lastIndexOf('/p2p/') + 5);
    if (!address.includes('/p2p/') || !/^[A-Za-z0-9]{40,128}$/.test(id)) continue;
    const group = groups.get(id) ?? [];
    if (!group.includes(address)) groups.set(id, [...group, address]);
  }
  return groups;
}
