/** The files of a published package, read from its own blocks: one frame in memory at a time, what was unpacked on disk. */
import { closeSync, existsSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Cid } from '../../../core/dag/cid.ts';
import type { FileEntry } from '../../../core/dag/entry.ts';
import { fileIdFromDigest, type FileId } from '../../../core/dag/file-id.ts';
import { undoFilter } from '../../../core/dag/filter.ts';
import { decodeManifest, type FrameRef, type Manifest, type Part } from '../../../core/dag/manifest.ts';
import { decodeTable } from '../../../core/dag/read-table.ts';
import type { Base, Table, TableFrame } from '../../../core/dag/table.ts';
import { MossError } from '../../../core/error.ts';
import { readExactly } from '../../read-fully.ts';
import type { BlockDirectory } from '../../store/block-directory.ts';
import { nodeCompressor } from '../../zstd.ts';
import { siteBlock } from '../site-block.ts';

export interface ContentPart {
  part: Part;
  table: Table;
  component: string;
}

export class PackageContents {
  readonly cid: Cid;
  /** The manifest block. */
  readonly block: Uint8Array;
  readonly manifest: Manifest;
  readonly parts: readonly ContentPart[];
  readonly #blocks: BlockDirectory;
  readonly #directory: string;
  /** Frames that were unpacked. */
  readonly #done = new Set<TableFrame>();
  /** Where each content is: the part and the frames of it. */
  readonly #homes = new Map<FileId, { at: ContentPart; frames: number[] }>();

  /** @param directory where unpacked files go; the caller removes it */
  static async open(cid: Cid, blocks: BlockDirectory, directory: string): Promise<PackageContents> {
    const block = await siteBlock(blocks, cid, { ofPackage: true });
    const manifest = decodeManifest(block);
    const parts: ContentPart[] = [];
    for (const component of manifest.components) {
      for (const part of component.parts) {
        const bytes = part.table instanceof Uint8Array ? part.table : await siteBlock(blocks, part.table, { ofPackage: true });
        parts.push({ part, component: component.name, table: await decodeTable(bytes, part.tablePlain, nodeCompressor) });
      }
    }
    mkdirSync(directory, { recursive: true });
    return new PackageContents(cid, block, manifest, parts, blocks, directory);
  }

  private constructor(cid: Cid, block: Uint8Array, manifest: Manifest, parts: readonly ContentPart[], blocks: BlockDirectory, directory: string) {
    this.cid = cid;
    this.block = block;
    this.manifest = manifest;
    this.parts = parts;
    this.#blocks = blocks;
    this.#directory = directory;
    for (const at of parts) {
      for (const [i, { pieces }] of at.table.frames.entries()) {
        for (const { file } of pieces) {
          const id = at.table.files[file]?.id;
          if (id === undefined) continue;
          const home = this.#homes.get(id) ?? { at, frames: [] };
          if (home.at === at) home.frames.push(i);
          this.#homes.set(id, home);
        }
      }
    }
  }

  /** The unpacked bytes of the table of a part. */
  async table(part: number): Promise<Uint8Array> {
    const own = this.parts[part]?.part;
    if (own === undefined) throw new MossError('bug', `there is no part ${part}`);
    const bytes = own.table instanceof Uint8Array ? own.table : await siteBlock(this.#blocks, own.table, { ofPackage: true });
    return nodeCompressor.decompress(bytes, { size: own.tablePlain });
  }

  /** Fills `target` from a file as it travels: unpacked, where it has a recipe. */
  async read(file: FileEntry, offset: number, target: Uint8Array): Promise<void> {
    if (target.length > 0) await this.#unpackFile(file.id);
    readExactly(join(this.#directory, file.id), offset, target);
  }

  async #unpackFile(id: FileId): Promise<void> {
    const home = this.#homes.get(id);
    if (home === undefined) throw new MossError('bad-manifest', `no frame of ${this.cid.toString()} holds ${id}`);
    for (const i of home.frames) {
      const [ref, frame] = [home.at.part.frames[i], home.at.table.frames[i]];
      if (ref !== undefined && frame !== undefined) await this.#unpackFrame(home.at, ref, frame);
    }
  }

  async #unpackFrame({ table }: ContentPart, ref: FrameRef, frame: TableFrame): Promise<void> {
    // Not by its block: the same bytes may be other files elsewhere.
    if (this.#done.has(frame)) return;
    const dictionary = frame.base && (await this.#base(frame.base));
    const content = nodeCompressor.decompress(await siteBlock(this.#blocks, ref.cid, { ofPackage: true }), { size: ref.plain, dictionary });
    if (frame.filter !== undefined) undoFilter(frame.filter, content);
    let at = 0;
    for (const { file, offset, length } of frame.pieces) {
      const id = table.files[file]?.id;
      if (id !== undefined) writeRun(join(this.#directory, id), offset, content.subarray(at, at + length));
      at += length;
    }
    this.#done.add(frame);
  }

  async #base({ id, offset, length }: Base): Promise<Uint8Array> {
    const { dictionary } = this.manifest;
    const path = join(this.#directory, id);
    if (dictionary !== undefined && fileIdFromDigest(dictionary.sha256, dictionary.frame.plain) === id) {
      if (!existsSync(path)) writeRun(path, 0, nodeCompressor.decompress(await siteBlock(this.#blocks, dictionary.frame.cid, { ofPackage: true }), { size: dictionary.frame.plain }));
    } else await this.#unpackFile(id);
    const bytes = new Uint8Array(length);
    readExactly(path, offset, bytes);
    return bytes;
  }
}

function writeRun(path: string, offset: number, bytes: Uint8Array): void {
  const fd = openSync(path, existsSync(path) ? 'r+' : 'w');
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, offset + at);
  } finally {
    closeSync(fd);
  }
}
