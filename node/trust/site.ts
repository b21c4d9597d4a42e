import { readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MossError } from '../../core/error.ts';
import { type Root, type Signed, parseRoot, parseSnapshot, parseTimestamp } from '../../core/trust/metadata.ts';
import type { Revision } from '../../core/trust/publish.ts';
import type { MetadataFile } from '../../core/trust/sign.ts';
import { codeOf, syncDirectory, writeDurably } from './write-durably.ts';

/** The published metadata of a repository directory: what is in it now, and how it is changed. */

export function keysDirectory(dir: string): string {
  return join(dir, 'keys');
}

export function metadataDirectory(dir: string): string {
  return join(dir, 'site', 'metadata');
}

/** A root that waits for signatures. It is not in the site: it is nobody's business yet. */
export function draftFile(dir: string): string {
  return join(dir, 'root-draft.json');
}

/** Revisions whose files stay, for readers who are in the middle of one while it is replaced. */
const KEPT_REVISIONS = 16;

/** @throws MossError `not-found` when the directory is no repository */
export async function readRoot(dir: string): Promise<Signed<Root>> {
  const versions = (await metadataNames(dir)).flatMap((name) => /^(\d+)\.root\.json$/.exec(name)?.[1] ?? []).map(Number);
  if (versions.length === 0) {
    throw new MossError('not-found', `${dir} is not a repository: it has no root metadata`, { hint: 'Run `moss repo init` first.' });
  }
  return parseRoot(await readMetadata(dir, `${Math.max(...versions)}.root.json`));
}

/** The published revision, or `undefined` before the first. */
export async function readRevision(dir: string): Promise<Revision | undefined> {
  if (!(await metadataNames(dir)).includes('timestamp.json')) return undefined;
  const timestamp = await readMetadata(dir, 'timestamp.json');
  const snapshot = await readMetadata(dir, `${parseTimestamp(timestamp).signed.snapshot.version}.snapshot.json`);
  const promised = parseSnapshot(snapshot).signed.meta.get('targets.json');
  if (promised === undefined) throw new MossError('bad-metadata', `the snapshot of ${dir} does not list targets.json`);
  return { timestamp, snapshot, targets: await readMetadata(dir, `${promised.version}.targets.json`) };
}

/** Writes files in their order, each durably, so that what comes later never speaks of what is not there. */
export async function writeMetadata(dir: string, files: readonly MetadataFile[]): Promise<void> {
  for (const { name, bytes } of files) await writeDurably(join(metadataDirectory(dir), name), bytes);
}

/**
 * Removes the targets and snapshots of revisions long gone, and what a crash left half-written. Every root stays:
 * readers walk through all of them.
 */
export async function pruneMetadata(dir: string): Promise<void> {
  const names = await metadataNames(dir);
  for (const role of ['targets', 'snapshot']) {
    const form = new RegExp(String.raw`^(\d+)\.${role}\.json$`);
    const versions = names.flatMap((name) => form.exec(name)?.[1] ?? []).map(Number);
    const old = versions.toSorted((a, b) => b - a).slice(KEPT_REVISIONS);
    for (const version of old) await rm(join(metadataDirectory(dir), `${version}.${role}.json`), { force: true });
  }
  for (const name of names.filter((one) => one.endsWith('.tmp'))) await rm(join(metadataDirectory(dir), name), { force: true });
  await syncDirectory(metadataDirectory(dir));
}

async function metadataNames(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(metadataDirectory(dir));
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return [];
    throw new MossError('io', `${metadataDirectory(dir)} cannot be read`, { cause });
  }
}

async function readMetadata(dir: string, name: string): Promise<Uint8Array> {
  try {
    return await readFile(join(metadataDirectory(dir), name));
  } catch (cause) {
    throw new MossError(codeOf(cause) === 'ENOENT' ? 'bad-metadata' : 'io', `${join(metadataDirectory(dir), name)} cannot be read`, {
      hint: 'Restore it from a copy of the site: what is published can be fetched from there.',
      cause,
    });
  }
}
