/** Manifests that must be refused, as data: what is replaced in a good one. */
import type { ErrorCode } from '../../../core/error.ts';
import { cidOf, DAG_PB, RAW } from '../../../core/dag/cid.ts';
import { CID } from 'multiformats/cid';
import { create as createDigest } from 'multiformats/hashes/digest';

export interface HostileManifest {
  name: string;
  /** Fields to replace; `undefined` takes one out. */
  change: Record<string, unknown>;
  code: ErrorCode;
}

const cid = cidOf(RAW, new Uint8Array(32));
const frame = { cid, size: 10, plain: 20 };
const part = { table: new Uint8Array(4), tableSize: 4, tablePlain: 4, rows: 1, frames: [frame] };
const component = { name: 'main', files: 0, size: 0, parts: [part] };

const withPart = (change: Record<string, unknown>): Record<string, unknown> => ({ components: [{ ...component, parts: [{ ...part, ...change }] }] });
const withFrame = (change: Record<string, unknown>): Record<string, unknown> => withPart({ frames: [{ ...frame, ...change }] });
const link = (path: string): Record<string, unknown> => ({ alternatives: [{ link: path, name: 'a', path: 'usr/bin/a', priority: 1 }] });

export const GOOD_MANIFEST: Record<string, unknown> = {
  moss: 1,
  name: 'good',
  version: '1.0',
  architecture: 'all',
  format: 'directory',
  policy: { announce: true },
  components: [component],
};

export const HOSTILE_MANIFESTS: readonly HostileManifest[] = [
  { name: 'no version of the format', change: { moss: undefined }, code: 'bad-manifest' },
  { name: 'version 0 of the format', change: { moss: 0 }, code: 'bad-manifest' },
  { name: 'a newer version of the format', change: { moss: 2 }, code: 'unsupported' },
  { name: 'no name', change: { name: undefined }, code: 'bad-manifest' },
  { name: 'an empty name', change: { name: '' }, code: 'bad-manifest' },
  { name: 'a name that is a path', change: { name: '../good' }, code: 'bad-manifest' },
  { name: 'a name with a slash', change: { name: 'a/b' }, code: 'bad-manifest' },
  { name: 'a name that is an option', change: { name: '-rf' }, code: 'bad-manifest' },
  { name: 'a name with a line break', change: { name: 'a\nb' }, code: 'bad-manifest' },
  { name: 'a name with an escape sequence', change: { name: 'a\u001B[2J' }, code: 'bad-manifest' },
  { name: 'a name of 300 letters', change: { name: 'a'.repeat(300) }, code: 'bad-manifest' },
  { name: 'a name that is a number', change: { name: 7 }, code: 'bad-manifest' },
  { name: 'no version', change: { version: undefined }, code: 'bad-manifest' },
  { name: 'a format that does not exist', change: { format: 'exe' }, code: 'bad-manifest' },
  { name: 'a description of 100 KiB', change: { description: 'a'.repeat(100_000) }, code: 'bad-manifest' },
  { name: 'dependencies as a text', change: { depends: 'libc6' }, code: 'bad-manifest' },
  { name: 'dependencies that are numbers', change: { depends: [1] }, code: 'bad-manifest' },
  { name: 'dependencies without end', change: { depends: Array.from({ length: 70_000 }, () => 'a') }, code: 'bad-manifest' },
  { name: 'a policy as a text', change: { policy: 'all' }, code: 'bad-manifest' },
  { name: 'a policy that does not say', change: { policy: {} }, code: 'bad-manifest' },
  { name: 'a configuration file above the root', change: { conffiles: ['../etc/passwd'] }, code: 'bad-path' },
  { name: 'a configuration file that is the root', change: { conffiles: ['/'] }, code: 'bad-path' },
  { name: 'a configuration file with a NUL', change: { conffiles: ['etc/a\0b'] }, code: 'bad-path' },
  { name: 'an alternative above the root', change: link('../../etc/passwd'), code: 'bad-path' },
  { name: 'an alternative in the directory of moss', change: link('.moss/current'), code: 'bad-path' },
  { name: 'an alternative that is the root', change: link('.'), code: 'bad-path' },
  { name: 'an alternative with a priority of 2^40', change: { alternatives: [{ link: 'usr/bin/x', name: 'a', path: 'usr/bin/a', priority: 2 ** 40 }] }, code: 'bad-manifest' },
  { name: 'a slave of an alternative above the root', change: { alternatives: [{ link: 'usr/bin/x', name: 'a', path: 'usr/bin/a', priority: 1, slaves: [{ link: '../x', name: 'b', path: 'usr/b' }] }] }, code: 'bad-path' },
  { name: 'components as a map', change: { components: {} }, code: 'bad-manifest' },
  { name: 'the same component twice', change: { components: [component, component] }, code: 'bad-manifest' },
  { name: 'a component without a name', change: { components: [{ ...component, name: '' }] }, code: 'bad-manifest' },
  { name: 'a component whose name is no word', change: { components: [{ ...component, name: '../main' }] }, code: 'bad-manifest' },
  { name: 'a component of -1 bytes', change: { components: [{ ...component, size: -1 }] }, code: 'bad-manifest' },
  { name: 'a component of 2^63 bytes', change: { components: [{ ...component, size: 2n ** 63n }] }, code: 'bad-manifest' },
  { name: 'a component without parts', change: { components: [{ ...component, parts: null }] }, code: 'bad-manifest' },
  { name: 'a table that is a text', change: withPart({ table: 'table' }), code: 'bad-manifest' },
  { name: 'a table of 3 MiB', change: withPart({ tableSize: 3 * 2 ** 20 }), code: 'bad-manifest' },
  { name: 'a table of 2^63 bytes before compression', change: withPart({ tablePlain: 2n ** 63n }), code: 'bad-manifest' },
  { name: 'a table with -1 rows', change: withPart({ rows: -1 }), code: 'bad-manifest' },
  { name: 'a frame without a link', change: withFrame({ cid: 'bafkqaaa' }), code: 'bad-manifest' },
  { name: 'a frame with a link of another codec', change: withFrame({ cid: CID.createV1(0x72, createDigest(0x12, new Uint8Array(32))) }), code: 'bad-cid' },
  { name: 'a frame with a link of another hash', change: withFrame({ cid: CID.createV1(RAW, createDigest(0x1e, new Uint8Array(32))) }), code: 'bad-cid' },
  { name: 'a frame with a link that holds its content', change: withFrame({ cid: CID.createV1(RAW, createDigest(0, new Uint8Array(5))) }), code: 'bad-cid' },
  { name: 'a frame with a link of version 0', change: withFrame({ cid: CID.createV0(createDigest(0x12, new Uint8Array(32))) }), code: 'bad-cid' },
  { name: 'a frame with half a digest', change: withFrame({ cid: CID.createV1(DAG_PB, createDigest(0x12, new Uint8Array(16))) }), code: 'bad-cid' },
  { name: 'a frame of no bytes', change: withFrame({ size: 0 }), code: 'bad-manifest' },
  { name: 'a frame of 2 MiB', change: withFrame({ size: 2 ** 21 }), code: 'bad-manifest' },
  { name: 'a frame of 2^63 bytes', change: withFrame({ size: 2n ** 63n }), code: 'bad-manifest' },
  { name: 'a frame that unpacks to 1 GiB', change: withFrame({ plain: 2 ** 30 }), code: 'bad-manifest' },
  { name: 'a frame that unpacks to -1 bytes', change: withFrame({ plain: -1 }), code: 'bad-manifest' },
  { name: 'a dictionary with half a digest', change: { dictionary: { sha256: new Uint8Array(16), frame } }, code: 'bad-manifest' },
  { name: 'a dictionary of 16 MiB', change: { dictionary: { sha256: new Uint8Array(32), frame: { ...frame, plain: 2 ** 24 } } }, code: 'bad-manifest' },
  { name: 'a dictionary without a frame', change: { dictionary: { sha256: new Uint8Array(32) } }, code: 'bad-manifest' },
  { name: 'scripts that are texts', change: { scripts: ['rm -rf /'] }, code: 'bad-manifest' },
  { name: 'a script of -1 bytes', change: { scripts: [{ name: 'postinst', size: -1, sha256: '' }] }, code: 'bad-manifest' },
  { name: 'essential as a text', change: { essential: 'yes' }, code: 'bad-manifest' },
];
