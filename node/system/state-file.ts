/** The record of a state, kept in the state itself: the database can be made anew from these. */
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
  writeFileSync(join(directory, STATE_FILE), `${JSON.stringify({ schema: SCHEMA, ...state, packages }, undefined, 1)}\n`);
}

/** @throws MossError `damaged` */
export function readStateFile(directory: string): State {
  const path = join(directory, STATE_FILE);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new MossError('damaged', `the record of a state cannot be read: ${path}`, {
      hint: `Run \`moss state verify ${basename(directory)} --repair\`: the database has it too.`,
      cause,
      data: { path },
    });
  }
  const fields = new Fields(value, 'damaged', path);
  if (fields.int('schema') > SCHEMA) throw new MossError('unsupported', `${path} was written by a newer moss`, { hint: 'Update moss.' });
  return {
    number: fields.int('number', 1),
    created: fields.int('created'),
    reason: fields.text('reason'),
    packages: fields.maps('packages').map(readPackage),
  };
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
