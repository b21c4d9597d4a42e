/** A torrent of a directory (BEP 3), and the tracker for it: `node torrent.ts HOST PORT`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';

const PIECE = 1024 * 1024;
/** Seconds between two announcements: a bench is short. */
const INTERVAL = 1;

type Bencoded = number | string | Uint8Array | Bencoded[] | { [key: string]: Bencoded };

function bencode(value: Bencoded): Buffer {
  if (typeof value === 'number') return Buffer.from(`i${value}e`);
  if (typeof value === 'string') return bencode(Buffer.from(value));
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from(`${value.length}:`), value]);
  if (Array.isArray(value)) return Buffer.concat([Buffer.from('l'), ...value.map(bencode), Buffer.from('e')]);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat([Buffer.from('d'), ...entries.flatMap(([key, each]) => [bencode(key), bencode(each)]), Buffer.from('e')]);
}

export function torrentOf(directory: string, names: readonly string[], announce: string): Buffer {
  const contents = names.map((name) => readFileSync(join(directory, name)));
  const all = Buffer.concat(contents);
  const pieces: Buffer[] = [];
  for (let at = 0; at < all.length; at += PIECE) pieces.push(createHash('sha1').update(all.subarray(at, at + PIECE)).digest());
  const files = names.map((name, i) => ({ length: contents[i]?.length ?? 0, path: [name] }));
  return bencode({ announce, info: { name: basename(directory), 'piece length': PIECE, pieces: Buffer.concat(pieces), files } });
}

/** Names everybody who announced itself to everybody. */
export function startTracker(host: string, port: number): void {
  const peers = new Map<string, Buffer>();
  const server = createServer((request, response) => {
    const query = new URL(request.url ?? '/', 'http://tracker').searchParams;
    const address = (request.socket.remoteAddress ?? '').replace('::ffff:', '');
    const own = `${address}:${query.get('port')}`;
    const compact = Buffer.from([...address.split('.').map(Number), Number(query.get('port')) >> 8, Number(query.get('port')) & 255]);
    const others = [...peers].filter(([name]) => name !== own).map(([, bytes]) => bytes);
    if (query.get('event') === 'stopped') peers.delete(own);
    else peers.set(own, compact);
    response.end(bencode({ interval: INTERVAL, 'min interval': INTERVAL, peers: Buffer.concat(others) }));
  });
  server.listen(port, host, () => process.stdout.write('ready\n'));
}

if (import.meta.main) startTracker(process.argv[2] ?? '127.0.0.1', Number(process.argv[3]));
