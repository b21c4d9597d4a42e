/** The record of a state, kept in the state itself: the database can be made anew from these. */
import { hash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Fields } from '../../core/dag/fields.ts';
import { parseCid } from '../../core/dag/cid.ts';
import { PACKAGE_FORMATS } from '../../core/dag/package.ts';
import type { ComponentWishes, InstalledPackage, State } from '../../core/install/state.ts';
import { MossError } from '../../core/error.ts';

/** The name of a state's record, in its tree. */
export const STATE_FILE = '.moss-state.json';
const SCHEMA = 1;

export function writeStateFile(directory: string, state: State): void {
  const packages = state.packages.map((each) => ({ ...each, manifest: each.manifest.toString() }));
  const record = { schema: SCHEMA, ...state, packages };
  writeFileSync(join(directory, STATE_FILE), `${JSON.stringify({ ...record, sha256: digestOf(record) }, undefined, 1)}\n`);
}

/** @throws MossError `damaged` */
export function readStateFile(directory: string): State {
  const path = join(directory, STATE_FILE);
  try {
    return readState(path);
  } catch (cause) {
    if (cause instanceof MossError && cause.code === 'unsupported') throw cause;
    const number = basename(directory);
    throw new MossError('damaged', `the record of a state cannot be read: ${path}`, {
      hint: `Run \`moss state verify ${number} --repair\`: the database may have it too. Else go to another state (\`moss state activate N\`), and remove this one.`,
      cause,
      data: { path },
    });
  }
}

function readState(path: string): State {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const fields = new Fields(value, 'damaged', path);
  if (fields.int('schema') > SCHEMA) throw new MossError('unsupported', `${path} was written by a newer moss`, { hint: 'Update moss.' });
  const { sha256, ...record } = Object(value) as Record<string, unknown>;
  if (sha256 !== undefined && sha256 !== digestOf(record)) throw new MossError('damaged', `${path} is not as it was written`);
  return {
    number: fields.int('number', 1),
    created: fields.int('created'),
    reason: fields.text('reason'),
    packages: fields.maps('packages').map(readPackage),
  };
}

/** All else of a state is held against its record, and nothing else tells whether that is right. Earlier records have none. */
function digestOf(record: unknown): string {
  return hash('sha256', JSON.stringify(record));
}

function readPackage(fields: Fields): InstalledPackage {
  return {
    name: fields.text('name'),
    version: fields.text('version'),
    release: fields.int('release'),
    architecture: fields.text('architecture'),
    format: fields.oneOf('format', PACKAGE_FORMATS),
    manifest: parseCid(fields.text('manifest')),
    repository: fields.text('repository'),
    explicit: fields.flag('explicit'),
    components: fields.texts('components'),
    ...(fields.has('wishes') && { wishes: readWishes(fields.map('wishes')) }),
  };
}

function readWishes(fields: Fields): ComponentWishes {
  return { with: fields.texts('with'), without: fields.texts('without') };
}
