import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MossError } from '../../core/error.ts';
import { isReading, startStaticServer } from '../net/static-server.ts';
import { FIRST_PAGE } from '../publish/site-hints.ts';
import type { SitePeer } from '../peer/site-peer.ts';
import { ServeLog } from '../ui/serve-log.ts';
import type { Context } from './context.ts';
import { leaveSoon } from './leave.ts';
import { flagOption, listOption, numberOption, textOption } from './options.ts';

const PORT = 8787;
/** Peers at the same time. */
const PEERS = 256;

export async function run(context: Context, [directory = '.']: string[], options: Record<string, unknown>): Promise<void> {
  const { output, signal, dryRun } = context;
  const site = siteOf(resolve(directory));
  const host = textOption(options, 'host') ?? '127.0.0.1';
  const port = portOption(options, 'port') ?? PORT;
  const isPeer = options['peer'] !== false;
  if (dryRun) {
    output.result('serve', { url: null, directory: site, host, port, peer: null, dryRun }, () => [`Would serve ${site} on ${host}:${port}${isPeer ? ', and be a peer' : ''}.`]);
    return;
  }
  const log = new ServeLog((line) => output.note(line), { verbose: output.options.verbose });
  const peer = isPeer ? await startPeer(context, { site, host }, options) : undefined;
  const server = await startStaticServer({
    directory: site,
    host,
    port,
    pages: donatePages(),
    route: (request, response) => {
      if (showsDonatePage(site, request)) request.url = (request.url ?? '/').replace(/^\/(index\.html)?/, '/donate.html');
      return peer?.route(request, response) ?? false;
    },
    onRequest: (served) => {
      if (output.options.json) output.event({ type: 'served', ...served });
      else log.add(served);
    },
  }).catch(async (error: unknown) => {
    await peer?.stop();
    throw error;
  });
  const said = peer === undefined ? null : { id: peer.id, addresses: peer.addresses, relay: flagOption(options, 'relay') };
  output.result('serve', { url: server.url, directory: site, host, port: server.port, peer: said }, () => [
    `Serving ${site} on ${server.url} (Ctrl-C stops)`,
    ...(said === null ? [] : [`As the peer ${said.id}${said.relay ? ', and a relay' : ''}, at`, ...said.addresses.map((address) => `  ${address}`)]),
  ]);
  if (!signal.aborted) await once(signal, 'abort');
  log.flush();
  output.note('Stopping ...');
  await Promise.all([server.close(), peer?.stop()]);
  leaveSoon();
}

interface ServingPeer {
  id: string;
  addresses: string[];
  route: (request: IncomingMessage, response: ServerResponse) => boolean;
  stop: () => Promise<void>;
}

/** The same site to peers. What hinders that does not hinder the web server. */
async function startPeer({ output, environment }: Context, { site, host }: { site: string; host: string }, options: Record<string, unknown>): Promise<ServingPeer | undefined> {
  const [{ SitePeer }, { RoutingApi }, { siteHints }] = await Promise.all([import('../peer/site-peer.ts'), import('../peer/routing-api.ts'), import('../peer/site-hints.ts')]);
  const relay = flagOption(options, 'relay');
  let peer: SitePeer;
  try {
    peer = await SitePeer.start({
      site,
      host,
      state: stateDirectory(site, environment),
      port: portOption(options, 'peerPort') ?? 0,
      relay,
      webTransport: flagOption(options, 'webtransport'),
      announce: listOption(options, 'announce') ?? [],
      bootstrap: listOption(options, 'bootstrap') ?? [],
      connections: PEERS,
      onWarning: (message) => output.warn(message),
    });
  } catch (error) {
    if (!(error instanceof MossError) || error.code === 'usage') throw error;
    output.warn(`this is a web server alone: ${error.message}`, error.hint);
    return undefined;
  }
  const routing = new RoutingApi({ host: peer.host, holdings: peer.holdings });
  const addresses = (): string[] => peer.host.addresses.map(String);
  return {
    id: peer.host.id,
    addresses: addresses(),
    route: (request, response) => {
      if (request.url !== '/moss.json' || !isReading(request)) return routing.handle(request, response);
      const body = Buffer.from(siteHints(site, { peers: addresses(), relays: relay ? addresses() : [] }));
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length, 'Cache-Control': 'no-cache' }).end(body);
      return true;
    },
    stop: () => peer.stop(),
  };
}

/** Where the key of a served site is kept: of each site its own, and not in the site, which is public. */
function stateDirectory(site: string, environment: Record<string, string | undefined>): string {
  const name = createHash('sha256').update(site).digest('hex').slice(0, 16);
  return join(environment['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'moss', 'serve', name);
}

function portOption(options: Record<string, unknown>, name: string): number | undefined {
  const port = numberOption(options, name);
  if (port !== undefined && port > 65_535) throw new MossError('usage', `there is no port ${port}`);
  return port;
}

/** What `npm run build` made of `web/`, beside the built program or, when the sources run, where it is built to. */
function donatePages(): string | undefined {
  const places = ['../../web', '../../dist/web'].map((place) => fileURLToPath(new URL(place, import.meta.url)));
  return places.find((place) => existsSync(join(place, 'moss-seeder.js')));
}

/** At the root, unless the publisher has a page there that is not the one of `moss repo init`. */
function showsDonatePage(site: string, { url }: IncomingMessage): boolean {
  if (!/^\/(index\.html)?(\?|$)/.test(url ?? '') || donatePages() === undefined) return false;
  const own = join(site, 'index.html');
  return !existsSync(own) || readFileSync(own, 'utf8').includes(FIRST_PAGE);
}

/** Only what is meant for everybody: of a repository its site, never its keys. */
function siteOf(directory: string): string {
  for (const site of [join(directory, 'site'), directory]) if (existsSync(join(site, 'metadata'))) return site;
  throw new MossError('not-found', `${directory} is neither a repository nor a site`, {
    hint: `Make a repository with \`moss repo init ${directory} --name NAME\`.`,
    data: { path: directory },
  });
}
