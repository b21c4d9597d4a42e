/** Sources that breach a wall, and a few that only seem to, as data: each is put at `file` in a copy of the project. */

type Wall = 'compiler' | 'linter';

export interface Breach {
  file: string;
  source: string;
  why: string;
  /** Who says no; nobody, where the import is allowed. */
  refusedBy: readonly Wall[];
}

const CORE_ROOMS = ['ports', 'dag', 'repo', 'trust', 'exchange', 'privacy', 'install', 'donate', 'memory'];
const ISOLATED_ROOMS = ['repo', 'trust', 'exchange', 'privacy'];

/** What core must not know: modules of a platform, and globals of one. */
const PLATFORM: readonly [source: string, refusedBy: readonly Wall[]][] = [
  [`import { readFileSync } from 'node:fs'; export const x = readFileSync;`, ['compiler', 'linter']],
  [`import { readFile } from 'node:fs/promises'; export const x = readFile;`, ['compiler', 'linter']],
  [`export const x = () => import('node:fs');`, ['compiler', 'linter']],
  [`export const x = () => process.pid;`, ['compiler', 'linter']],
  [`export const x = () => Buffer.alloc(1);`, ['compiler', 'linter']],
  [`export const x = () => console.log(1);`, ['compiler', 'linter']],
  [`export const x = () => window.name;`, ['compiler', 'linter']],
  [`export const x = () => document.title;`, ['compiler', 'linter']],
  [`export const x = () => fetch('https://example.org');`, ['compiler', 'linter']],
  [`export const x = () => setTimeout(x, 1);`, ['compiler', 'linter']],
  [`export const x = () => setInterval(x, 1);`, ['compiler', 'linter']],
  [`export const x = () => crypto.randomUUID();`, ['compiler', 'linter']],
  // ECMAScript itself has these two, so only the linter can refuse them.
  [`export const x = () => Date.now();`, ['linter']],
  [`export const x = () => Math.random();`, ['linter']],
];

const imports = (path: string): string => `import { x } from '${path}'; export const y = x;`;

function* list(): Iterable<Omit<Breach, 'file'> & { directory: string }> {
  for (const room of CORE_ROOMS) {
    const why = `core/${room} knows no platform`;
    for (const [source, refusedBy] of PLATFORM) yield { directory: `core/${room}`, source, why, refusedBy };
    for (const path of ['../../node/none.ts', '../../web/none.ts']) {
      yield { directory: `core/${room}`, source: imports(path), why: `core/${room} stands below node and web`, refusedBy: ['compiler', 'linter'] };
    }
  }
  for (const room of ISOLATED_ROOMS) {
    for (const other of [...ISOLATED_ROOMS, 'install', 'donate', 'memory'].filter((each) => each !== room)) {
      // There is no such file, so the compiler says no too.
      yield { directory: `core/${room}`, source: imports(`../${other}/none.ts`), why: `core/${room} and core/${other} do not know each other`, refusedBy: ['compiler', 'linter'] };
    }
    yield { directory: `core/${room}`, source: `import { cidOf } from '../dag/cid.ts'; export const x = cidOf;`, why: `core/${room} may import core/dag`, refusedBy: [] };
  }
  // Of a file outside that exists, the compiler complains once, wherever it is imported first.
  yield {
    directory: 'core/install',
    source: `import { version } from '../../node/version.ts'; export const x = version;`,
    why: 'core stands below node, whatever is there',
    refusedBy: ['compiler', 'linter'],
  };
  yield {
    directory: 'core/repo',
    source: `import { formatFingerprint } from '../trust/fingerprint.ts'; export const x = formatFingerprint;`,
    why: 'core/repo does not know core/trust, whatever is there',
    refusedBy: ['linter'],
  };
  for (const other of ['repo', 'trust', 'exchange', 'install', 'memory']) {
    yield { directory: 'core/dag', source: imports(`../${other}/none.ts`), why: `core/dag stands below core/${other}`, refusedBy: ['compiler', 'linter'] };
  }
  yield { directory: 'core/dag', source: `import type { Hasher } from '../ports/hasher.ts'; export type X = Hasher;`, why: 'core/dag may import ports', refusedBy: [] };
  yield { directory: 'core/dag', source: `import { MossError } from '../error.ts'; export const x = MossError;`, why: 'core/dag may import the error', refusedBy: [] };
  yield { directory: 'core/ports', source: `import { cidOf } from '../dag/cid.ts'; export const x = cidOf;`, why: 'core/ports imports no values', refusedBy: ['linter'] };
  yield { directory: 'core/ports', source: `export { cidOf } from '../dag/cid.ts';`, why: 'core/ports passes no values on', refusedBy: ['linter'] };
  yield { directory: 'core/ports', source: `export const x = () => import('../dag/cid.ts');`, why: 'core/ports imports no values later', refusedBy: ['linter'] };
  yield { directory: 'core/ports', source: `import type { MossError } from '../error.ts'; export type X = MossError;`, why: 'core/ports imports nothing but core/dag', refusedBy: ['linter'] };
  yield { directory: 'core/ports', source: `import type { CID } from 'multiformats/cid'; export type X = CID;`, why: 'core/ports imports no package', refusedBy: ['linter'] };
  yield { directory: 'core/ports', source: `import type { Cid } from '../dag/cid.ts'; export type X = Cid;`, why: 'core/ports may import types of core/dag', refusedBy: [] };
  yield { directory: 'core/install', source: `import { formatFingerprint } from '../trust/fingerprint.ts'; export const x = formatFingerprint;`, why: 'core/install may import all of core', refusedBy: [] };
  yield { directory: 'core/install', source: imports('../donate/none.ts'), why: 'core/install stands below core/donate', refusedBy: ['compiler', 'linter'] };
  yield { directory: 'core/donate', source: `import { formatFingerprint } from '../trust/fingerprint.ts'; export const x = formatFingerprint;`, why: 'core/donate may import all of core', refusedBy: [] };
  // The compiler run here is that of core, so the walls between node and web are the linter's.
  yield { directory: 'node/store', source: imports('../../web/none.ts'), why: 'node does not know web', refusedBy: ['linter'] };
  yield { directory: 'node/cli', source: `export const x = () => import('../../web/none.ts');`, why: 'node does not load web', refusedBy: ['linter'] };
  yield { directory: 'node/store', source: `import { cidOf } from '../../core/dag/cid.ts'; export const x = cidOf;`, why: 'node may import core', refusedBy: [] };
  yield { directory: 'web/store', source: imports('../../node/version.ts'), why: 'web does not know node', refusedBy: ['linter'] };
  yield { directory: 'web/store', source: `import { readFile } from 'node:fs/promises'; export const x = readFile;`, why: 'web runs in browsers', refusedBy: ['linter'] };
  yield { directory: 'web/store', source: `import { cidOf } from '../../core/dag/cid.ts'; export const x = cidOf;`, why: 'web may import core', refusedBy: [] };
}

export const breaches: readonly Breach[] = Array.from(list(), ({ directory, source, why, refusedBy }, number) => ({
  file: `${directory}/breach-${number}.ts`,
  source,
  why,
  refusedBy,
}));
