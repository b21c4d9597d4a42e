/**
 * Helia with bitswap as a program of its own, over TCP, noise and yamux, with what it holds in memory.
 * `node helia.ts MODULES serve DIRECTORY HOST` says its address and the directory's CID; `node helia.ts MODULES get ADDRESS CID
 * TARGET` writes the files of that directory, each block checked, and ends. It knows nobody else, and no gateway.
 */
import { createReadStream, createWriteStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pathToFileURL } from 'node:url';

type Bytes = AsyncIterable<Uint8Array>;

interface Node {
  start(): Promise<void>;
  stop(): Promise<void>;
  libp2p: { getMultiaddrs(): { toString(): string }[]; dial(address: unknown): Promise<unknown> };
}

interface Files {
  addAll(files: Iterable<{ path: string; content: Bytes }>, options: { wrapWithDirectory: boolean }): AsyncIterable<{ cid: { toString(): string } }>;
  ls(cid: unknown): AsyncIterable<{ name: string; cid: unknown }>;
  cat(cid: unknown): Bytes;
}

/** A function of a library that gives the part that Helia and libp2p are put together from. */
type Part = (...parts: unknown[]) => unknown;

const [, , modules = '', role = '', ...rest] = process.argv;

async function load<T>(path: string): Promise<T> {
  return import(pathToFileURL(join(modules, path)).href);
}

const { createHeliaLight } = await load<{ createHeliaLight: Part }>('helia/dist/src/index.js');
const { withLibp2pLight } = await load<{ withLibp2pLight: Part }>('@helia/libp2p/dist/src/index.js');
const { withBitswap } = await load<{ withBitswap: (helia: unknown) => Node }>('@helia/bitswap/dist/src/index.js');
const { unixfs } = await load<{ unixfs: (helia: Node) => Files }>('@helia/unixfs/dist/src/index.js');
const { identify } = await load<{ identify: Part }>('@libp2p/identify/dist/src/index.js');
const { noise } = await load<{ noise: Part }>('@libp2p/noise/dist/src/index.js');
const { tcp } = await load<{ tcp: Part }>('@libp2p/tcp/dist/src/index.js');
const { yamux } = await load<{ yamux: Part }>('@libp2p/yamux/dist/src/index.js');

async function start(listen: string[]): Promise<Node> {
  const libp2p = { addresses: { listen }, transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()], services: { identify: identify() } };
  const node = withBitswap(withLibp2pLight(createHeliaLight(), libp2p));
  await node.start();
  return node;
}

if (role === 'serve') {
  const [directory = '', host = ''] = rest;
  const node = await start([`/ip4/${host}/tcp/0`]);
  const files = readdirSync(directory).toSorted().map((name) => ({ path: name, content: createReadStream(join(directory, name)) }));
  let cid = '';
  for await (const added of unixfs(node).addAll(files, { wrapWithDirectory: true })) cid = added.cid.toString();
  process.stdout.write(`${node.libp2p.getMultiaddrs()[0]?.toString()} ${cid}\n`);
} else {
  const [address = '', root = '', target = ''] = rest;
  const { multiaddr } = await load<{ multiaddr: (text: string) => unknown }>('@multiformats/multiaddr/dist/src/index.js');
  const { CID } = await load<{ CID: { parse: (text: string) => unknown } }>('multiformats/dist/src/cid.js');
  const node = await start([]);
  await node.libp2p.dial(multiaddr(address));
  const all = unixfs(node);
  const inParallel: Promise<void>[] = [];
  for await (const { name, cid } of all.ls(CID.parse(root))) inParallel.push(pipeline(all.cat(cid), createWriteStream(join(target, name))));
  await Promise.all(inParallel);
  await node.stop();
  process.exit();
}
