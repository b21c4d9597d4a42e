/**
 * The routing endpoint of an always-on peer, by IPFS's Delegated Routing V1 HTTP API: browsers cannot speak to the
 * hash table, so they ask here who has something of a repository, and where a peer is.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { peerIdFromString } from '@libp2p/peer-id';
import { CID } from 'multiformats/cid';
import type { Cid } from '../../core/dag/cid.ts';
import { repositoryCid } from '../../core/exchange/repository-cid.ts';
import { peerOf } from './address.ts';
import type { Host } from './host.ts';
import { nodeHasher } from '../hasher.ts';
import { isReading } from '../net/static-server.ts';
import type { SiteHoldings } from './site-holdings.ts';

export interface RoutingOptions {
  host: Host;
  holdings: SiteHoldings;
}

/** A record of the schema `peer`. */
interface PeerRecord {
  Schema: 'peer';
  ID: string;
  Addrs: string[];
  Protocols: string[];
}

const PREFIX = '/routing/v1/';
/** What pages of other sites may ask, by the specification's chapter on browsers; and for how many seconds they may remember it. */
const ALLOWED = { 'Access-Control-Allow-Methods': 'GET, OPTIONS', 'Access-Control-Allow-Headers': 'Accept, Content-Type, Range, User-Agent, X-Requested-With' };
const ALLOWED_FOR = 86_400;
/** What peers of moss speak, in the words of the specification. */
const PROTOCOL = 'transport-moss-exchange';
/** Records in an answer, and milliseconds of search for them. */
const MOST = 64;
const SEARCH = 5000;
/** Searches at the same time: each asks many peers. */
const SEARCHES = 16;
/** Seconds for which others may keep an answer. */
const KEEP = 60;
const KEEP_NOTHING = 15;

export class RoutingApi {
  readonly #options: RoutingOptions;
  #searches = 0;

  constructor(options: RoutingOptions) {
    this.#options = options;
  }

  /** Answers what is below `/routing/v1/`; `false` for everything else. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const url = new URL(request.url ?? '/', 'http://localhost');
    if (!url.pathname.startsWith(PREFIX)) return false;
    response.setHeaders(new Map(Object.entries(ALLOWED)));
    if (request.method === 'OPTIONS') {
      response.writeHead(204, { 'Access-Control-Max-Age': ALLOWED_FOR }).end();
      return true;
    }
    this.#answer(url, request, response).catch(() => response.destroy());
    return true;
  }

  async #answer(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [kind = '', text = '', ...rest] = url.pathname.slice(PREFIX.length).split('/');
    // The specification tells apart what nobody knows, and what this server does not do.
    if (rest.length > 0 || !['providers', 'peers', 'ipns'].includes(kind)) {
      send(response, 400, 'text/plain', 'there is no such path\n');
      return;
    }
    if (!isReading(request) || (kind !== 'providers' && kind !== 'peers')) {
      send(response, 501, 'text/plain', 'this is not done here\n');
      return;
    }
    let find: (signal: AbortSignal) => AsyncGenerator<PeerRecord>;
    try {
      const cid = kind === 'providers' ? CID.parse(text) : undefined;
      const id = kind === 'peers' ? peerIdFromString(text).toString() : undefined;
      find = (signal) => (cid === undefined ? this.#peer(id ?? '', signal) : this.#providers(cid, signal));
    } catch {
      send(response, 422, 'text/plain', `${kind === 'peers' ? 'no peer id' : 'no CID'}\n`);
      return;
    }
    if (this.#searches >= SEARCHES) {
      response.setHeader('Retry-After', '1');
      send(response, 429, 'text/plain', 'busy\n');
      return;
    }
    this.#searches++;
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    try {
      const records = await collect(find(AbortSignal.any([gone.signal, AbortSignal.timeout(SEARCH)])), url.searchParams);
      if (!gone.signal.aborted) sendRecords(request, response, kind, records);
    } finally {
      this.#searches--;
    }
  }

  /** This peer for what it serves, those that are connected for its repository, and whom the swarm names. */
  async *#providers(cid: CID, signal: AbortSignal): AsyncGenerator<PeerRecord> {
    const { host, holdings } = this.#options;
    const isRepository = cid.equals(await repositoryCid(holdings.site.fingerprint, nodeHasher));
    // `Wanted` takes every CID: what is no block of the site is not found.
    if (isRepository || holdings.find({ kind: 'block', cid: cid as Cid }) !== undefined) yield record(host.id, host.addresses.map(String));
    if (isRepository) for (const { id } of host.peers) yield record(id, await host.addressesOf(id));
    try {
      for await (const addresses of host.findProviders(cid, { signal })) {
        const id = addresses[0] && peerOf(addresses[0]);
        if (id !== undefined) yield record(id, addresses.map(String));
      }
    } catch {
      // Time is up, or there is nobody to ask: what was found is the answer.
    }
  }

  async *#peer(id: string, signal: AbortSignal): AsyncGenerator<PeerRecord> {
    const { host } = this.#options;
    if (id === host.id) yield record(id, host.addresses.map(String));
    else if (host.isConnected(id)) yield record(id, await host.addressesOf(id));
    else {
      const addresses = await host.findPeer(id, { signal }).catch(() => []);
      if (addresses.length > 0) yield record(id, addresses.map(String));
    }
  }
}

/** Addresses without the peer id, which stands beside them. */
function record(id: string, addresses: readonly string[]): PeerRecord {
  return { Schema: 'peer', ID: id, Addrs: addresses.map((address) => address.replace(`/p2p/${id}`, '')), Protocols: [PROTOCOL] };
}

/** Each peer once, filtered as the query asks (IPIP-484): `filter-addrs`, where `!` excludes, and `filter-protocols`. */
async function collect(records: AsyncGenerator<PeerRecord>, query: URLSearchParams): Promise<PeerRecord[]> {
  const list = (name: string): string[] => (query.get(name) ?? '').toLowerCase().split(',').filter((each) => each !== '');
  const [addresses, protocols] = [list('filter-addrs'), list('filter-protocols')];
  const wanted = addresses.filter((each) => !each.startsWith('!'));
  const unwanted = addresses.filter((each) => each.startsWith('!')).map((each) => each.slice(1));
  const found = new Map<string, PeerRecord>();
  for await (const each of records) {
    if (found.has(each.ID) || (protocols.length > 0 && !protocols.some((name) => each.Protocols.includes(name)))) continue;
    const kept = each.Addrs.filter((address) => {
      const names = address.split('/');
      return (wanted.length === 0 || wanted.some((name) => names.includes(name))) && !unwanted.some((name) => names.includes(name));
    });
    if (addresses.length > 0 && kept.length === 0 && !(each.Addrs.length === 0 && wanted.includes('unknown'))) continue;
    found.set(each.ID, { ...each, Addrs: kept });
    if (found.size >= MOST) break;
  }
  return [...found.values()];
}

function sendRecords(request: IncomingMessage, response: ServerResponse, kind: 'providers' | 'peers', records: readonly PeerRecord[]): void {
  response.setHeader('Vary', 'Accept');
  response.setHeader('Cache-Control', `public, max-age=${records.length > 0 ? KEEP : KEEP_NOTHING}, stale-while-revalidate=${KEEP}`);
  if (request.headers.accept?.includes('application/x-ndjson') === true) {
    send(response, 200, 'application/x-ndjson', records.map((each) => `${JSON.stringify(each)}\n`).join(''));
  } else send(response, 200, 'application/json', JSON.stringify({ [kind === 'providers' ? 'Providers' : 'Peers']: records }));
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body);
}
