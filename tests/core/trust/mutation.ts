import * as fc from 'fast-check';
import { type SimMetaFile, type SimTargets, Simulator, timeText } from './simulator.ts';

/** Random changes to a repository: before it is signed, in who signs it, and to its files afterwards. */

const ROLES = ['root', 'timestamp', 'snapshot', 'targets', 'team'] as const;
type Role = (typeof ROLES)[number];

/** A change that is signed for: what a careless publisher does, or a thief of keys. */
type Edit =
  | { readonly op: 'version'; readonly role: Role; readonly by: number }
  | { readonly op: 'expires'; readonly role: Role; readonly time: string }
  | { readonly op: 'threshold'; readonly role: Role; readonly to: number }
  | { readonly op: 'signers'; readonly role: Role; readonly pick: readonly number[] }
  | { readonly op: 'keys'; readonly role: Role; readonly pick: readonly number[]; readonly bothSign: boolean }
  | { readonly op: 'listed-version'; readonly file: string; readonly by: number }
  | { readonly op: 'listed-length'; readonly file: string; readonly by: number }
  | { readonly op: 'listed-hash'; readonly file: string }
  | { readonly op: 'unlist'; readonly file: string }
  | { readonly op: 'terminating' }
  | { readonly op: 'paths'; readonly paths: readonly string[] }
  /** Any field anywhere set to anything: mostly no metadata any more. */
  | { readonly op: 'field'; readonly role: Role; readonly at: number; readonly value: unknown };

/** A change to a file after it was signed: what a mirror or the network does. */
type Tamper =
  | { readonly op: 'byte'; readonly file: number; readonly at: number; readonly code: number }
  | { readonly op: 'cut'; readonly file: number; readonly at: number }
  | { readonly op: 'append'; readonly file: number }
  | { readonly op: 'delete'; readonly file: number }
  | { readonly op: 'swap'; readonly file: number; readonly other: number }
  | { readonly op: 'drop-signature' | 'double-signature' | 'break-signature' | 'foreign-signature' | 'upper-case'; readonly file: number; readonly at: number };

export interface Mutation {
  /** Whether lengths and hashes are listed. */
  readonly hashes: boolean;
  /** Whether the reader has a good revision already. */
  readonly known: boolean;
  readonly edits: readonly Edit[];
  readonly publish: readonly Role[];
  readonly tampers: readonly Tamper[];
}

const role = fc.constantFrom(...ROLES);
const file = fc.nat({ max: 30 });
const listed = fc.constantFrom('snapshot.json', 'targets.json', 'team.json');
const pick = fc.uniqueArray(fc.nat({ max: 5 }), { maxLength: 4 });
const places = fc.nat({ max: 4000 });

const wellFormedEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ op: fc.constant('version' as const), role, by: fc.constantFrom(-4, -2, 1, 3) }),
  fc.record({ op: fc.constant('expires' as const), role, time: fc.constantFrom('2020-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2099-12-31T23:59:59Z') }),
  fc.record({ op: fc.constant('threshold' as const), role, to: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ op: fc.constant('signers' as const), role, pick }),
  fc.record({ op: fc.constant('keys' as const), role, pick, bothSign: fc.boolean() }),
  fc.record({ op: fc.constant('listed-version' as const), file: listed, by: fc.constantFrom(-1, 1) }),
  fc.record({ op: fc.constant('listed-length' as const), file: listed, by: fc.constantFrom(-1, 1, 100) }),
  fc.record({ op: fc.constant('listed-hash' as const), file: listed }),
  fc.record({ op: fc.constant('unlist' as const), file: fc.constantFrom('team.json', 'targets.json') }),
  fc.constant({ op: 'terminating' as const }),
  fc.record({ op: fc.constant('paths' as const), paths: fc.array(fc.constantFrom('*', 'team/*', 'team/fil?', 'other/*', 'team/file'), { maxLength: 2 }) }),
);

const anything = fc.constantFrom<unknown>(null, true, false, 0, 1, 2, -1, 1.5, 1e21, '', 'x', '1.0', 'root', '\ud800', [], {}, ['x', 'x'], { x: 1 });
const anyField: fc.Arbitrary<Edit> = fc.record({ op: fc.constant('field' as const), role, at: fc.nat({ max: 200 }), value: anything });

const tamper: fc.Arbitrary<Tamper> = fc.oneof(
  fc.record({ op: fc.constant('byte' as const), file, at: places, code: fc.integer({ min: 0x20, max: 0x7e }) }),
  fc.record({ op: fc.constant('cut' as const), file, at: places }),
  fc.record({ op: fc.constant('append' as const), file }),
  fc.record({ op: fc.constant('delete' as const), file }),
  fc.record({ op: fc.constant('swap' as const), file, other: file }),
  fc.record({
    op: fc.constantFrom('drop-signature' as const, 'double-signature' as const, 'break-signature' as const, 'foreign-signature' as const, 'upper-case' as const),
    file,
    at: fc.nat({ max: 3 }),
  }),
);

function mutationOf(edits: fc.Arbitrary<readonly Edit[]>): fc.Arbitrary<Mutation> {
  return fc.record({
    hashes: fc.boolean(),
    known: fc.boolean(),
    edits,
    publish: fc.subarray(['root', 'team', 'targets', 'snapshot', 'timestamp'] satisfies Role[], { minLength: 1 }),
    tampers: fc.oneof({ arbitrary: fc.constant([]), weight: 1 }, { arbitrary: fc.array(tamper, { maxLength: 2 }), weight: 2 }),
  });
}

/** Metadata that is well-formed, whatever it says: there the two clients must agree in everything. */
export const wellFormed = mutationOf(fc.array(wellFormedEdit, { maxLength: 3 }));
/** Metadata with fields of any kind, signed for all the same. */
export const malformed = mutationOf(fc.oneof(fc.tuple(anyField), fc.tuple(wellFormedEdit, anyField)));

/** A repository with a delegation, at version 5 of everything, so that there is a way back. */
export function baseline(mutation: Pick<Mutation, 'hashes'>): Simulator {
  const sim = new Simulator({ publish: false });
  sim.hashes = mutation.hashes;
  for (const part of [sim.root, sim.timestamp, sim.snapshot, sim.targetsOf()]) part.expires = timeText(Date.parse('2099-01-01T00:00:00Z'));
  for (const name of ['root', 'timestamp']) sim.addKey(name);
  const team = sim.delegate('targets', 'team', { paths: ['team/*'] });
  Object.assign(team, { expires: sim.root.expires });
  sim.addTarget('team', 'team/file', 'content');
  sim.addTarget('targets', 'repository', 'root block');
  sim.put('root');
  for (const part of [sim.timestamp, sim.snapshot, sim.targetsOf(), team]) part.version = 5;
  for (const name of ['team', 'targets', 'snapshot', 'timestamp']) sim.put(name);
  return sim;
}

export function mutate(sim: Simulator, { edits, publish, tampers }: Mutation): void {
  for (const edit of edits) applyEdit(sim, edit);
  for (const name of publish) {
    Object.assign(signedOf(sim, name), { version: bumped(signedOf(sim, name).version) });
    sim.put(name);
  }
  for (const change of tampers) applyTamper(sim, change);
}

/** A field edit may have put anything in the place of the version. */
function bumped(version: unknown): unknown {
  return typeof version === 'number' ? version + 1 : version;
}

function signedOf(sim: Simulator, name: Role): { version: number; expires: string } {
  if (name === 'targets' || name === 'team') return sim.targetsOf(name);
  return sim[name];
}

function metaOf(sim: Simulator, name: string): SimMetaFile {
  const meta = name === 'snapshot.json' ? sim.timestamp.meta : sim.snapshot.meta;
  return (meta[name] ??= { version: 1 });
}

function applyEdit(sim: Simulator, edit: Edit): void {
  if (edit.op === 'version') signedOf(sim, edit.role).version = Math.max(1, signedOf(sim, edit.role).version + edit.by);
  else if (edit.op === 'expires') signedOf(sim, edit.role).expires = edit.time;
  else if (edit.op === 'threshold') sim.role(edit.role).threshold = edit.to;
  else if (edit.op === 'signers') sim.signers.set(edit.role, edit.pick.map((at) => sim.keyAt(at)));
  else if (edit.op === 'keys') changeKeys(sim, edit.role, edit.pick, edit.bothSign);
  else if (edit.op === 'listed-version') metaOf(sim, edit.file).version = Math.max(1, metaOf(sim, edit.file).version + edit.by);
  else if (edit.op === 'listed-length') metaOf(sim, edit.file).length = Math.max(0, (metaOf(sim, edit.file).length ?? 500) + edit.by);
  else if (edit.op === 'listed-hash') metaOf(sim, edit.file).hashes = { sha256: 'ab'.repeat(32) };
  else if (edit.op === 'unlist') delete sim.snapshot.meta[edit.file];
  else if (edit.op === 'terminating') delegationsOf(sim).forEach((delegation) => (delegation.terminating = !delegation.terminating));
  else if (edit.op === 'paths') delegationsOf(sim).forEach((delegation) => (delegation.paths = [...edit.paths]));
  else setField(signedOf(sim, edit.role), edit.at, edit.value);
}

function delegationsOf(sim: Simulator): NonNullable<SimTargets['delegations']>['roles'] {
  return sim.targetsOf().delegations?.roles ?? [];
}

function changeKeys(sim: Simulator, name: Role, at: readonly number[], bothSign: boolean): void {
  const before = sim.signers.get(name) ?? [];
  const keys = at.map((index) => sim.keyAt(index));
  const signers = bothSign ? [...new Map([...before, ...keys].map((key) => [key.id, key])).values()] : keys;
  sim.setKeys(name, keys, Math.max(1, Math.min(sim.role(name).threshold, keys.length)), signers);
}

/** Sets the field that comes `at`-th in a walk through everything. */
function setField(signed: object, at: number, value: unknown): void {
  const fields: (() => void)[] = [];
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, child] of Object.entries(node)) {
      fields.push(() => Object.assign(node, { [key]: structuredClone(value) }));
      walk(child);
    }
  };
  walk(signed);
  fields[at % fields.length]?.();
}

function applyTamper(sim: Simulator, change: Tamper): void {
  const names = [...sim.files.keys()];
  const name = names[change.file % names.length] ?? '';
  const bytes = Buffer.from(sim.files.get(name) ?? '');
  if (change.op === 'byte') bytes[change.at % Math.max(1, bytes.length)] = change.code;
  if (change.op === 'delete') sim.files.delete(name);
  else if (change.op === 'cut') sim.files.set(name, bytes.subarray(0, change.at % (bytes.length + 1)));
  else if (change.op === 'append') sim.files.set(name, Buffer.concat([bytes, Buffer.from(' ')]));
  else if (change.op === 'byte') sim.files.set(name, bytes);
  else if (change.op === 'swap') {
    const other = names[change.other % names.length] ?? '';
    sim.files.set(name, sim.files.get(other) ?? bytes);
    sim.files.set(other, bytes);
  } else changeSignatures(sim, name, change.op, change.at);
}

function changeSignatures(sim: Simulator, name: string, op: string, at: number): void {
  try {
    sim.tamper(name, ({ signatures }) => {
      const index = at % Math.max(1, signatures.length);
      const [chosen] = signatures.slice(index);
      if (chosen === undefined) return;
      if (op === 'drop-signature') signatures.splice(index, 1);
      if (op === 'double-signature') signatures.push({ ...chosen });
      if (op === 'break-signature') chosen.sig = `${chosen.sig.startsWith('00') ? '01' : '00'}${chosen.sig.slice(2)}`;
      if (op === 'foreign-signature') chosen.keyid = sim.keyAt(at + 7).id;
      if (op === 'upper-case') chosen.sig = chosen.sig.toUpperCase();
    });
  } catch (error) {
    // An earlier change may have left something that is no JSON, or no list of signatures.
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
  }
}
