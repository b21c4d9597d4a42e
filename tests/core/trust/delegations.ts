import assert from 'node:assert/strict';
import { type Client, makeWorld, outcomeOf } from './scenario.ts';
import type { SimDelegation, Simulator } from './simulator.ts';

/** A search through a graph of delegations, as data: who is asked, in which order, and what is found. */
export interface Search {
  readonly name: string;
  /** From whom to whom, with what differs from "everything, not terminating". */
  readonly graph: readonly (readonly [from: string, to: string, delegation?: Partial<SimDelegation>])[];
  /** Which role has which target. */
  readonly targets?: readonly (readonly [role: string, path: string])[];
  readonly path: string;
  readonly visited: readonly string[];
  /** The role that speaks for it, if any. */
  readonly found?: string;
}

const TREE: Search['graph'] = [
  ['targets', 'A', { paths: ['*.doc', '*.md', 'foo-?.tgz'] }],
  ['targets', 'B', { paths: ['releases/*/*'] }],
  ['B', 'C', { paths: ['releases/x/*'] }],
  ['B', 'D', { paths: ['releases/y/*.zip'] }],
];
const LEAVES: NonNullable<Search['targets']> = [
  ['targets', 'targetfile'],
  ['A', 'README.md'],
  ['A', 'releases/README.md'],
  ['A', 'foo-1.tgz'],
  ['A', 'foo-alpha.tgz'],
  ['C', 'releases/x/x_v1'],
  ['D', 'releases/y/y_v1.zip'],
  ['D', 'releases/z/z_v1.zip'],
];

function inTree(path: string, visited: readonly string[], found?: string): Search {
  return { name: `tree: ${path}`, graph: TREE, targets: LEAVES, path, visited, ...(found === undefined ? {} : { found }) };
}

function graph(name: string, edges: Search['graph'], visited: string): Search {
  return { name, graph: edges, path: 'missing', visited: [...visited] };
}

const end = { terminating: true };
const python = { paths: ['*.py'] };

export const SEARCHES: readonly Search[] = [
  graph('one delegation', [['targets', 'A']], 'A'),
  graph('two side by side', [['targets', 'A'], ['targets', 'B']], 'AB'),
  graph('two levels', [['targets', 'A'], ['targets', 'B'], ['B', 'C']], 'ABC'),
  graph('depth first', [['targets', 'A'], ['targets', 'B'], ['A', 'C'], ['A', 'D']], 'ACDB'),
  graph('depth first, three levels', [['targets', 'A'], ['targets', 'B'], ['A', 'C'], ['C', 'D']], 'ACDB'),
  graph('a terminating delegation ends the search', [['targets', 'A'], ['targets', 'B'], ['A', 'C', end], ['A', 'D']], 'AC'),
  graph('but not below it', [['targets', 'A'], ['targets', 'B'], ['A', 'C', end], ['C', 'D']], 'ACD'),
  graph('a branch for other paths', [['targets', 'A', python], ['targets', 'B'], ['A', 'C']], 'B'),
  graph('a branch for other paths, deeper', [['targets', 'A'], ['targets', 'B'], ['A', 'C', python], ['C', 'D']], 'AB'),
  graph('a terminating delegation for other paths ends nothing', [['targets', 'A', { ...python, ...end }], ['targets', 'B']], 'B'),
  graph('a cycle', [['targets', 'A'], ['targets', 'B'], ['B', 'C'], ['C', 'D'], ['D', 'B']], 'ABCD'),
  graph('two ways to one role', [['targets', 'A'], ['targets', 'B'], ['B', 'C'], ['A', 'C']], 'ACB'),
  graph('two ways, one for other paths', [['targets', 'A'], ['targets', 'B'], ['B', 'C'], ['A', 'C', python]], 'ABC'),
  // SHA-256 of "missing" begins with ffa63583.
  graph('by the hash of the path', [['targets', 'A', { path_hash_prefixes: ['ff'] }], ['targets', 'B', { path_hash_prefixes: ['00'] }]], 'A'),
  inTree('targetfile', [], 'targets'),
  inTree('README.md', ['A'], 'A'),
  inTree('releases/x/x_v1', ['B', 'C'], 'C'),
  inTree('releases/y/y_v1.zip', ['B', 'D'], 'D'),
  inTree('releases/z/z_v1.zip', ['B']),
  inTree('releases/README.md', []),
  inTree('foo-1.tgz', ['A'], 'A'),
  inTree('foo-alpha.tgz', []),
  inTree('README.MD', []),
];

export async function runSearch(client: Client, search: Search): Promise<void> {
  const { sim, deps } = makeWorld();
  grow(sim, search);
  await client.initTrust(deps, sim.rootFile);
  const metadata = await client.refreshMetadata(deps);
  sim.asked.length = 0;
  const found = await client.findTarget(deps, metadata, search.path);
  assert.equal(found?.role, search.found, `${search.name}: who speaks for it`);
  assert.deepEqual(sim.asked, search.visited.map((role) => `1.${role}.json`), `${search.name}: the order of the search`);
}

function grow(sim: Simulator, { graph: edges, targets = [] }: Search): void {
  for (const [from, to, delegation] of edges) sim.delegate(from, to, delegation);
  for (const [role, path] of targets) sim.addTarget(role, path, `${path} by ${role}`);
  sim.publish(...new Set(edges.map(([, to]) => to)), 'targets', 'snapshot', 'timestamp');
}

/** A delegated role that is bent in some way, and what the search says to it. */
export interface BentRole {
  readonly name: string;
  readonly bend: (sim: Simulator) => void;
  readonly expect: string;
}

export const BENT_ROLES: readonly BentRole[] = [
  { name: 'as it should be', bend: () => {}, expect: 'ok' },
  { name: 'not listed in the snapshot', bend: (sim) => delete sim.snapshot.meta['A.json'], expect: 'bad-metadata' },
  { name: 'listed and not there', bend: (sim) => sim.files.delete('1.A.json'), expect: 'metadata-missing' },
  { name: 'expired', bend: (sim) => resign(sim, { expires: '2029-12-31T00:00:00Z' }), expect: 'metadata-expired' },
  { name: 'of another version', bend: (sim) => resign(sim, { version: 2 }), expect: 'metadata-mismatch' },
  { name: 'signed by nobody', bend: (sim) => (sim.signers.set('A', []), sim.put('A')), expect: 'bad-signature' },
];

function resign(sim: Simulator, change: object): void {
  Object.assign(sim.targetsOf('A'), change);
  const listed = { ...sim.snapshot.meta['A.json'] };
  sim.put('A', 1);
  Object.assign(sim.snapshot.meta, { 'A.json': { version: 1, ...listed } });
}

export async function runBentRole(client: Client, { bend, expect, name }: BentRole): Promise<void> {
  const { sim, deps } = makeWorld();
  sim.delegate('targets', 'A');
  sim.addTarget('A', 'file', 'content');
  sim.publish('A');
  bend(sim);
  sim.publish('targets', 'snapshot', 'timestamp');
  await client.initTrust(deps, sim.rootFile);
  const metadata = await client.refreshMetadata(deps);
  const outcome = await outcomeOf(() => client.findTarget(deps, metadata, 'file'));
  assert.equal(outcome, expect, `a delegated role ${name}`);
}
