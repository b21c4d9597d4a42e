/** The repositories that a root installs from: their addresses, what is trusted of them, and their index. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sameBytes } from '../../core/dag/block.ts';
import type { Cid } from '../../core/dag/cid.ts';
import { decodeRoot, type Root } from '../../core/dag/root.ts';
import { MossError } from '../../core/error.ts';
import { fetchBlock, fetchIndex, type FetchDeps, type FetchedIndex } from '../../core/exchange/index-fetch.ts';
import { webMetadataFetcher } from '../../core/exchange/metadata-fetcher.ts';
import { Webseed } from '../../core/exchange/webseed.ts';
import type { Listener } from '../../core/install/event.ts';
import type { AbortOptions } from '../../core/ports/abort.ts';
import type { MetadataFetcher } from '../../core/ports/metadata.ts';
import type { LabelledIndex } from '../../core/repo/index-file.ts';
import { findRoot, initTrust, type FoundRoot } from '../../core/trust/bootstrap.ts';
import { fingerprint } from '../../core/trust/fingerprint.ts';
import { loadTrust } from '../../core/trust/load.ts';
import { refreshTrustFrom } from '../../core/trust/refresh-from.ts';
import type { LocalTrustDeps, TrustedRepository } from '../../core/trust/trusted.ts';
import { nodeClock } from '../clock.ts';
import type { Settings } from '../config/settings.ts';
import { nodeHasher } from '../hasher.ts';
import { DirectorySource } from '../net/directory-source.ts';
import { nodeFetch } from '../net/fetch.ts';
import { MeteredSource } from '../net/metered-source.ts';
import { writeFileDurably } from '../store/durable.ts';
import type { Layout } from '../store/layout.ts';
import { directoryMetadataFetcher } from '../trust/directory-fetcher.ts';
import { directoryMetadataStore } from '../trust/metadata-store.ts';
import { nodeVerifier } from '../trust/verifier.ts';
import { nodeCompressor } from '../zstd.ts';
import { RepositoryConfigs, siteUrl, type RepositoryConfig } from './repository-configs.ts';

/** A repository as this machine knows it. */
export interface KnownRepository {
  name: string;
  /** Of its root keys, 32 bytes: what peers call it. */
  fingerprint: Uint8Array;
  /** The index of the last update. */
  index: Uint8Array;
}

export interface UpdatedRepository {
  name: string;
  revision: number;
  /** False when there was nothing new. */
  changed: boolean;
  packages: number;
  /** When the signed metadata expires: milliseconds since the epoch. */
  expires: number;
  /** Bytes that were fetched: signed metadata, the root, the index. */
  received: number;
  /** The revision that the index was brought forward from; null where it was fetched whole, or was here. */
  from: number | null;
}

export interface RepositoriesOptions {
  layout: Layout;
  settings: Settings;
  onEvent: Listener;
}

export class Repositories {
  readonly #configs: RepositoryConfigs;
  readonly #settings: Settings;
  readonly #onEvent: Listener;
  readonly #sources = new Map<string, MeteredSource[]>();
  /** Bytes that came so far. */
  #received = 0;

  constructor({ layout, settings, onEvent }: RepositoriesOptions) {
    this.#configs = new RepositoryConfigs(layout);
    this.#settings = settings;
    this.#onEvent = onEvent;
  }

  /** All repositories, in the order of their names. */
  list(): RepositoryConfig[] {
    return this.#configs.list();
  }

  /** @throws MossError `not-found` */
  get(name: string): RepositoryConfig {
    return this.#configs.get(name);
  }

  /** The root keys that an address offers: nobody trusts them yet. */
  async find(url: string, options: AbortOptions & { fingerprint?: string | undefined } = {}): Promise<FoundRoot> {
    return findRoot({ fetcher: this.#fetcher(siteUrl(url)), verifier: nodeVerifier(), hasher: nodeHasher }, options);
  }

  /**
   * Adds a repository whose root a person, or a fingerprint, has accepted.
   *
   * @throws MossError `exists`, `usage`
   */
  async add(name: string, url: string, root: FoundRoot): Promise<void> {
    const urls = [siteUrl(url)];
    this.#configs.reserve(name);
    await initTrust({ store: this.#trust(name).store, verifier: nodeVerifier() }, root.bytes);
    this.#configs.write({ name, urls });
  }

  remove(name: string): void {
    this.#configs.remove(name);
    this.#sources.delete(name);
  }

  /** Fetches what the repository signed last, and its index. */
  async update(name: string, { signal }: AbortOptions = {}): Promise<UpdatedRepository> {
    const { urls } = this.get(name);
    const before = this.#received;
    const trusted = await refreshTrustFrom(this.#trust(name), urls.map((url) => this.#fetcher(url)), {
      signal,
      onEvent: (event) => {
        if (event.type === 'local-damaged') this.#onEvent({ type: 'warning', message: `${name}: ${event.file} was damaged here and is fetched again: ${event.reason}` });
        if (event.type === 'keys-rotated') this.#onEvent({ type: 'warning', message: `${name}: the ${event.role} key was replaced by its publisher` });
      },
    });
    const known = this.#readRoot(name, trusted.rootCid);
    const fetched = known === undefined ? await this.#fetchRoot(name, trusted, { signal }) : { root: known, ...(await this.#index(name, known, { signal })) };
    return {
      name,
      revision: fetched.root.revision,
      changed: known === undefined,
      packages: countLines(fetched.bytes),
      expires: trusted.expires,
      received: this.#received - before,
      from: fetched.from ?? null,
    };
  }

  /**
   * The indexes of all repositories, as the last update left them; those never updated are updated now.
   *
   * @throws MossError `metadata-expired` and others of trust
   */
  async indexes(options: AbortOptions = {}): Promise<LabelledIndex[]> {
    const out: LabelledIndex[] = [];
    for (const { name } of this.list()) {
      if (!existsSync(this.#file(name, 'root'))) await this.update(name, options);
      const trusted = await loadTrust(this.#trust(name), options);
      let root = this.#readRoot(name, trusted.rootCid);
      if (root === undefined) {
        await this.update(name, options);
        root = this.#readRoot(name, trusted.rootCid);
      }
      if (root === undefined) throw new MossError('bug', `the root of ${name} is not where it was put`);
      out.push({ repository: name, bytes: (await this.#index(name, root, options)).bytes });
    }
    return out;
  }

  /** The top of the tree that lists a repository's deltas, as its last root says. */
  deltas(name: string): Cid | undefined {
    const path = this.#file(name, 'root');
    if (!existsSync(path)) return undefined;
    try {
      return decodeRoot(readFileSync(path)).deltas;
    } catch {
      // A damaged root is found and fetched again where it is trusted: here it only tells of something to save.
      return undefined;
    }
  }

  /** The repositories that can be spoken of without asking anybody: those that were updated, and did not expire. */
  async known(): Promise<KnownRepository[]> {
    const out: KnownRepository[] = [];
    for (const { name } of this.list()) {
      const index = this.#file(name, 'index');
      try {
        const { metadata } = await loadTrust(this.#trust(name));
        if (existsSync(index)) out.push({ name, fingerprint: Buffer.from(await fingerprint(metadata.root.signed, nodeHasher), 'hex'), index: readFileSync(index) });
      } catch (error) {
        if (!(error instanceof MossError)) throw error;
      }
    }
    return out;
  }

  /**
   * Where the blocks of installed packages can be asked for, beside peers: nowhere when their repository was removed. Another
   * one is not asked, which would tell it of them.
   *
   * @throws MossError `no-source` where there are no peers either
   */
  sourcesOf(name: string, peers?: unknown): MeteredSource[] {
    if (this.list().some((each) => each.name === name)) return this.sources(name);
    if (peers !== undefined) return [];
    throw new MossError('no-source', `the repository ${name} is not here any more`, { hint: `Add it again under this name: \`moss repo add ${name} ADDRESS\`.` });
  }

  /** Where the blocks of a repository can be asked for; the same ones each time, so that they learn how quick they are. */
  sources(name: string): MeteredSource[] {
    const known = this.#sources.get(name);
    if (known !== undefined) return known;
    const { connections, timeout } = this.#settings;
    const sources = this.get(name).urls.map(
      (url) =>
        new MeteredSource(
          url.startsWith('file:')
            ? new DirectorySource(fileURLToPath(url))
            : new Webseed({ url, fetch: nodeFetch, clock: nodeClock, concurrency: connections, stallTimeout: timeout * 1000 }),
        ),
    );
    this.#sources.set(name, sources);
    return sources;
  }

  async #fetchRoot(name: string, { rootCid, rootSize }: TrustedRepository, options: AbortOptions): Promise<FetchedIndex & { root: Root }> {
    const bytes = await fetchBlock(rootCid, rootSize, this.#deps(name, options));
    const root = decodeRoot(bytes);
    const index = await this.#index(name, root, options);
    // Last: its presence says that the index is there too.
    writeFileDurably(this.#file(name, 'root'), bytes);
    return { root, ...index };
  }

  /** The root block that was fetched last, if it is the trusted one. */
  #readRoot(name: string, cid: Cid): Root | undefined {
    const path = this.#file(name, 'root');
    if (!existsSync(path)) return undefined;
    const bytes = readFileSync(path);
    return sameBytes(nodeHasher.sha256(bytes), cid.multihash.digest) ? decodeRoot(bytes) : undefined;
  }

  /** The index that a root speaks of: from the disk, or by what changed since the one there, or whole. */
  async #index(name: string, root: Root, options: AbortOptions): Promise<FetchedIndex> {
    const path = this.#file(name, 'index');
    const bytes = existsSync(path) ? readFileSync(path) : undefined;
    if (bytes !== undefined && sameBytes(nodeHasher.sha256(bytes), root.index.sha256)) return { bytes, from: undefined };
    const revision = this.#lastRevision(name);
    const fetched = await fetchIndex(root, {
      ...this.#deps(name, options),
      compressor: nodeCompressor,
      held: bytes === undefined || revision === undefined ? undefined : { bytes, revision },
      onBrokenDelta: ({ message }) => this.#onEvent({ type: 'warning', message: `${name}: the whole index is fetched, since what changed cannot be: ${message}` }),
    });
    writeFileDurably(path, fetched.bytes);
    return fetched;
  }

  /** The revision that was fetched last, as far as it is known here: only a hint at which deltas fit. */
  #lastRevision(name: string): number | undefined {
    try {
      return decodeRoot(readFileSync(this.#file(name, 'root'))).revision;
    } catch {
      return undefined;
    }
  }

  /** How to fetch from a repository: what arrives is told, and counted. */
  #deps(name: string, { signal }: AbortOptions): FetchDeps {
    return {
      sources: this.sources(name),
      signal,
      clock: nodeClock,
      hasher: nodeHasher,
      onBytes: (source, bytes) => {
        this.#received += bytes;
        this.#onEvent({ type: 'received', source: source.name, kind: source.kind, bytes });
      },
    };
  }

  #fetcher(url: string): MetadataFetcher {
    const fetcher = url.startsWith('file:')
      ? directoryMetadataFetcher(join(fileURLToPath(url), 'metadata'))
      : webMetadataFetcher({ url, fetch: nodeFetch, clock: nodeClock, stallTimeout: this.#settings.timeout * 1000 });
    return {
      fetch: async (...args) => {
        const bytes = await fetcher.fetch(...args);
        this.#received += bytes?.length ?? 0;
        return bytes;
      },
    };
  }

  #trust(name: string): LocalTrustDeps {
    return { store: directoryMetadataStore(this.#file(name, 'trust')), verifier: nodeVerifier(), hasher: nodeHasher, clock: nodeClock };
  }

  #file(name: string, file: string): string {
    return this.#configs.file(name, file);
  }
}

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) count++;
  return count;
}
