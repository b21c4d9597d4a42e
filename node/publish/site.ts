/** The directory of a repository: what the publisher keeps, and the site that any web server can host. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { verifyBlock } from '../../core/dag/block.ts';
import { parseCid, type Cid } from '../../core/dag/cid.ts';
import { decodeRoot, type FileRef, type Root } from '../../core/dag/root.ts';
import { MossError } from '../../core/error.ts';
import { nodeHasher } from '../hasher.ts';
import { BlockDirectory } from '../store/block-directory.ts';
import { writeFileDurably } from '../store/durable.ts';
import { nodeCompressor } from '../zstd.ts';
import { siteBlock } from './site-block.ts';

export class Repository {
  readonly directory: string;
  /** Everything that is public. */
  readonly site: string;
  readonly blocks: BlockDirectory;
  readonly cache: string;
  readonly lock: string;
  /** For what does not fit in memory; removed after each publication. */
  readonly work: string;
  readonly #unfinished: string;
  /** Whether a publication before this one was cut off. */
  #recovering = false;

  /** @throws MossError `not-found` when there is no repository */
  static open(directory: string): Repository {
    if (!existsSync(join(directory, 'keys')) || !existsSync(join(directory, 'site', 'metadata'))) {
      throw new MossError('not-found', `${directory} is no repository`, {
        hint: `Make one with \`moss repo init ${directory} --name NAME\`.`,
        data: { path: directory },
      });
    }
    return new Repository(directory);
  }

  private constructor(directory: string) {
    this.directory = directory;
    this.site = join(directory, 'site');
    this.blocks = new BlockDirectory(join(this.site, 'blocks'));
    this.cache = join(directory, 'imports.sqlite');
    this.lock = join(directory, 'lock.sqlite');
    this.work = join(directory, 'work');
    this.#unfinished = join(directory, 'unfinished');
  }

  /**
   * Begins to write. After a crash, the blocks that were written last are checked again: a power cut may have left
   * them empty under their final names.
   */
  async begin(): Promise<void> {
    rmSync(this.work, { recursive: true, force: true });
    const crashed = statSync(this.#unfinished, { throwIfNoEntry: false });
    this.#recovering = crashed !== undefined;
    if (crashed !== undefined) await this.#dropTornBlocks(crashed.mtimeMs);
    else writeFileDurably(this.#unfinished, '');
    mkdirSync(this.work, { recursive: true });
  }

  /** Everything was signed and is durable. */
  finish(): void {
    rmSync(this.work, { recursive: true, force: true });
    rmSync(this.#unfinished, { force: true });
  }

  /** A block of the site, checked. */
  async block(cid: Cid): Promise<Uint8Array> {
    return siteBlock(this.blocks, cid, { ofPackage: false });
  }

  /**
   * Whether a block is here, and after a crash all that it links to: what was noted as made may not have reached the disk.
   *
   * @param linksOf the blocks that it links to, by its bytes
   * @param thorough whether these are looked for without a crash, too
   */
  async holds(cid: Cid, linksOf: (bytes: Uint8Array) => readonly Cid[], { thorough = this.#recovering } = {}): Promise<boolean> {
    if (!thorough) return this.blocks.has(cid);
    const bytes = await this.blocks.get(cid);
    if (bytes === undefined) return false;
    for (const link of linksOf(bytes)) if (!(await this.blocks.has(link))) return false;
    return true;
  }

  async root(cid: Cid): Promise<Root> {
    return decodeRoot(await this.block(cid));
  }

  /** The content of a file that the root speaks of, such as the index. */
  async file({ frames }: FileRef): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (const { cid, plain } of frames) parts.push(nodeCompressor.decompress(await this.block(cid), { size: plain }));
    return Buffer.concat(parts);
  }

  async #dropTornBlocks(since: number): Promise<void> {
    for (const name of readdirSync(this.blocks.directory)) {
      const path = join(this.blocks.directory, name);
      if (name.startsWith('.')) rmSync(path);
      else if (statSync(path).mtimeMs >= since - 2000) {
        const bytes = readFileSync(path);
        try {
          await verifyBlock(parseCid(name), bytes, nodeHasher);
        } catch {
          rmSync(path);
        }
      }
    }
  }
}
