/** A publisher and peers that mean harm: what they may say at all is a payload, and it is signed, or said by the wire. */
import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { identify } from '@libp2p/identify';
import { noise } from '@libp2p/noise';
import { webSockets } from '@libp2p/websockets';
import { yamux } from '@libp2p/yamux';
import { createLibp2p, type Libp2p } from 'libp2p';
import { cborBlock } from '../../core/dag/block.ts';
import { rootValue } from '../../core/dag/root.ts';
import { EXCHANGE } from '../../core/exchange/protocol.ts';
import { encodeIndex, PackageIndex, type IndexEntry } from '../../core/repo/index-file.ts';
import { nodeClock } from '../../node/clock.ts';
import { nodeHasher } from '../../node/hasher.ts';
import { writeIndex } from '../../node/publish/index-file.ts';
import { Repository } from '../../node/publish/site.ts';
import { currentRoot } from '../../node/trust/current.ts';
import { signSite } from '../../node/trust/repository.ts';
import type { Served } from './chromium.ts';

/** Signs whatever it is told to. */
export class HostilePublisher {
  readonly #repository: Repository;
  readonly #directory: string;
  /** As an honest publisher left them. */
  #entries: IndexEntry[] | undefined;

  /** @param directory of a repository with a package */
  constructor(directory: string) {
    this.#directory = directory;
    this.#repository = Repository.open(directory);
  }

  /** A new revision of this name, with the entries that are made of those that are there. */
  async sign(name: string, change: (entries: IndexEntry[]) => Uint8Array): Promise<void> {
    const cid = await currentRoot(this.#directory);
    if (cid === undefined) throw new Error('nothing was published');
    const before = await this.#repository.root(cid);
    this.#entries ??= [...new PackageIndex(await this.#repository.file(before.index)).entries()];
    const index = await writeIndex(this.#repository, change(this.#entries), undefined);
    const root = { ...before, name, revision: before.revision + 1, previous: undefined, index };
    const block = await cborBlock(rootValue(root), nodeHasher);
    await this.#repository.blocks.put(block.cid, block.bytes);
    await signSite(this.#directory, { rootCid: block.cid, rootSize: block.bytes.length, clock: nodeClock });
  }

  /** What a web server has of the site. */
  serve(path: string): Served | undefined {
    if (!/^\/(blocks|metadata)\//.test(path)) return undefined;
    try {
      return { body: readFileSync(join(this.#repository.site, normalize(path))) };
    } catch {
      return undefined;
    }
  }
}

/** One package for each text: its version, its summary and its web site. All have the content of the first one. */
export function entriesOf(texts: readonly string[], [first]: readonly IndexEntry[]): Uint8Array {
  if (first === undefined) throw new Error('there is no package');
  return encodeIndex(texts.map((text, i) => ({ ...first, name: `pea${i}`, format: 'stone', release: 1, version: versionOf(text), summary: text, homepage: text })));
}

/** As much of a text as the version of a `.stone` may have: a slash parts attributes like a space does. */
export function versionOf(text: string): string {
  return text.replaceAll(' ', '/').replaceAll(/[^\x21-\x7e]/g, '');
}

/** An index that no reader takes, and whose error says why with the text in it. */
export function badIndexOf(text: string, [first]: readonly IndexEntry[]): Uint8Array {
  return Buffer.from(`${JSON.stringify({ ...first, format: 'stone', version: ` ${text}` })}\n`);
}

/** A peer whose agent and protocols are payloads; one that `raves` says nothing but payloads, too. */
export async function hostilePeer(texts: readonly string[], { raves }: { raves: boolean }): Promise<Libp2p> {
  const libp2p = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    nodeInfo: { name: texts[0] ?? '', userAgent: texts.join(' ') },
    services: { identify: identify() },
  });
  for (const text of texts.slice(0, 8)) await libp2p.handle(`/${text}/1`, (stream) => stream.abort(new Error(text)));
  await libp2p.handle(EXCHANGE, (stream) => {
    if (raves) for (const text of texts) stream.send(Buffer.from(text));
  });
  libp2p.addEventListener('peer:identify', ({ detail: { connection } }) => {
    if (!raves) return;
    connection
      .newStream(EXCHANGE)
      .then((stream) => stream.send(Buffer.from(texts.join('\n'))))
      .catch(() => undefined);
  });
  return libp2p;
}
