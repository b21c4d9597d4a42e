/**
 * WebTorrent as a program of its own: `node webtorrent.ts MODULES seed|get TORRENT DIRECTORY`. `seed` says `ready` when
 * the tracker knows it; `get` ends when all pieces are here and checked. Nothing is asked but the torrent's own tracker.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Torrent {
  once(event: 'trackerAnnounce' | 'done', listener: () => void): void;
  on(event: 'error', listener: (error: unknown) => void): void;
}

interface Client {
  add(torrent: string, options: { path: string }): Torrent;
  destroy(done: () => void): void;
}

const [, , modules = '', role = '', torrentFile = '', path = ''] = process.argv;
const { default: WebTorrent }: { default: new (options: Record<string, unknown>) => Client } = await import(pathToFileURL(join(modules, 'webtorrent/index.js')).href);

const client = new WebTorrent({ dht: false, lsd: false, utPex: false, natUpnp: false, natPmp: false, utp: false, webSeeds: false });
const torrent = client.add(torrentFile, { path });
torrent.on('error', (error) => {
  throw error instanceof Error ? error : new Error(String(error));
});
if (role === 'seed') torrent.once('trackerAnnounce', () => process.stdout.write('ready\n'));
else torrent.once('done', () => client.destroy(() => process.exit()));
