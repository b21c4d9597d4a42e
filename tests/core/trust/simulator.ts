import { type KeyObject, generateKeyPairSync, hash, sign as signBytes } from 'node:crypto';
import type { PublicKey, Signer } from '../../../core/ports/signer.ts';
import type { MetadataFetcher, MetadataStore } from '../../../core/ports/metadata.ts';
import { canonicalJson } from '../../../core/trust/canonical-json.ts';

/** A key pair that signs; `id` is the TUF key id. */
export interface TestKey extends Signer {
  readonly id: string;
  signNow(bytes: Uint8Array): Uint8Array;
}

export function testKey(): TestKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const key: PublicKey = { keytype: 'ed25519', scheme: 'ed25519', public: hexOf(publicKey) };
  const id = hash('sha256', canonicalJson({ keytype: key.keytype, scheme: key.scheme, keyval: { public: key.public } }));
  const signNow = (bytes: Uint8Array): Uint8Array => signBytes(undefined, bytes, privateKey);
  return { key, id, signNow, sign: (bytes) => Promise.resolve(signNow(bytes)) };
}

function hexOf(key: KeyObject): string {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
}

/** Keys are slow to make and tests need many: they take turns, so tests that need distinct ones take them in one go. */
const POOL: readonly TestKey[] = Array.from({ length: 24 }, testKey);

export interface SimRole {
  keyids: string[];
  threshold: number;
}

export interface SimMetaFile {
  version: number;
  length?: number;
  hashes?: Record<string, string>;
}

export interface SimDelegation extends SimRole {
  name: string;
  terminating: boolean;
  paths?: string[];
  path_hash_prefixes?: string[];
}

interface SimCommon {
  _type: string;
  spec_version: string;
  version: number;
  expires: string;
}

export interface SimTargets extends SimCommon {
  targets: Record<string, { length: number; hashes: Record<string, string>; custom?: Record<string, unknown> }>;
  delegations?: { keys: Record<string, unknown>; roles: SimDelegation[] };
}

export const DAY = 86_400_000;
/** Where the simulated clocks begin. */
export const START = Date.parse('2030-01-01T00:00:00Z');

export function timeText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function common(type: string): SimCommon {
  return { _type: type, spec_version: '1.0.31', version: 1, expires: timeText(START + 30 * DAY) };
}

/**
 * A TUF repository whose metadata can be bent in every way before it is signed and published: what an honest
 * publisher, a careless one, and somebody with stolen keys can do. Modelled on the simulator of the public
 * conformance suite.
 */
export class Simulator {
  readonly root: SimCommon & { consistent_snapshot: boolean; keys: Record<string, unknown>; roles: Record<string, SimRole> };
  readonly timestamp: SimCommon & { meta: Record<string, SimMetaFile> };
  readonly snapshot: SimCommon & { meta: Record<string, SimMetaFile> };
  readonly targets = new Map<string, SimTargets>();
  /** Who signs which role: what the root says and what is done may differ. */
  readonly signers = new Map<string, TestKey[]>();
  /** Every file that was published, by name. */
  readonly files = new Map<string, Uint8Array>();
  /** Names that readers asked for. */
  readonly asked: string[] = [];
  /** Whether the snapshot and the timestamp say lengths and hashes. */
  hashes = false;
  readonly #published = new Set<string>();
  #next = 0;

  constructor({ publish = true }: { publish?: boolean } = {}) {
    this.root = { ...common('root'), consistent_snapshot: true, keys: {}, roles: {} };
    this.timestamp = { ...common('timestamp'), meta: { 'snapshot.json': { version: 1 } } };
    this.snapshot = { ...common('snapshot'), meta: { 'targets.json': { version: 1 } } };
    this.targets.set('targets', { ...common('targets'), targets: {} });
    for (const role of ['root', 'timestamp', 'snapshot', 'targets']) {
      this.root.roles[role] = { keyids: [], threshold: 1 };
      this.addKey(role);
    }
    if (publish) this.publish('root', 'targets', 'snapshot', 'timestamp');
  }

  newKey(): TestKey {
    const key = POOL[this.#next % POOL.length] ?? testKey();
    this.#next += 1;
    return key;
  }

  /** Always the same key for the same number, whatever was taken before. */
  keyAt(at: number): TestKey {
    return POOL[at % POOL.length] ?? testKey();
  }

  role(name: string): SimRole {
    const role = this.root.roles[name] ?? this.#delegationOf(name);
    if (role === undefined) throw new Error(`no role ${name}`);
    return role;
  }

  #delegationOf(name: string): SimDelegation | undefined {
    return [...this.targets.values()].flatMap((targets) => targets.delegations?.roles ?? []).find((role) => role.name === name);
  }

  targetsOf(role = 'targets'): SimTargets {
    const targets = this.targets.get(role);
    if (targets === undefined) throw new Error(`no targets ${role}`);
    return targets;
  }

  addKey(role: string, key = this.newKey()): TestKey {
    this.root.keys[key.id] = keyJson(key);
    this.role(role).keyids.push(key.id);
    this.signers.set(role, [...(this.signers.get(role) ?? []), key]);
    return key;
  }

  /** Sets the keys of a role and who signs it. */
  setKeys(role: string, keys: readonly TestKey[], threshold: number, signers = keys): void {
    for (const key of keys) this.root.keys[key.id] = keyJson(key);
    Object.assign(this.role(role), { keyids: keys.map((key) => key.id), threshold });
    this.signers.set(role, [...signers]);
  }

  rotate(role: string): TestKey {
    const key = this.newKey();
    this.setKeys(role, [key], 1);
    return key;
  }

  delegate(from: string, name: string, delegation: Partial<SimDelegation> = {}): SimTargets {
    const delegator = this.targetsOf(from);
    const delegations = (delegator.delegations ??= { keys: {}, roles: [] });
    const key = this.newKey();
    delegations.keys[key.id] = keyJson(key);
    const paths = delegation.path_hash_prefixes === undefined ? { paths: ['*'] } : {};
    delegations.roles.push({ name, keyids: [key.id], threshold: 1, terminating: false, ...paths, ...delegation });
    this.signers.set(name, [...(this.signers.get(name) ?? []), key]);
    const targets = this.targets.get(name) ?? { ...this.targetsOf(), version: 1, targets: {} };
    if (!this.targets.has(name)) delete targets.delegations;
    this.targets.set(name, targets);
    return targets;
  }

  addTarget(role: string, path: string, content: string | Uint8Array): void {
    const bytes = Buffer.from(content);
    this.targetsOf(role).targets[path] = { length: bytes.length, hashes: { sha256: hash('sha256', bytes) } };
  }

  /** Signs the roles and puts them out, each one version up from the second time on. */
  publish(...roles: readonly string[]): void {
    for (const role of roles) {
      const signed = this.#signedOf(role);
      if (this.#published.has(role)) signed.version += 1;
      this.#published.add(role);
      this.put(role);
    }
  }

  /** Signs a role as it stands, and puts it out under its own version or another. */
  put(role: string, version = this.#signedOf(role).version): void {
    const bytes = this.encode(role);
    this.files.set(this.#fileName(role, version), bytes);
    const meta: SimMetaFile = { version: this.#signedOf(role).version };
    if (this.hashes) Object.assign(meta, { length: bytes.length, hashes: { sha256: hash('sha256', bytes) } });
    if (role === 'snapshot') list(this.timestamp.meta, 'snapshot.json', meta);
    else if (role !== 'root' && role !== 'timestamp') list(this.snapshot.meta, `${role}.json`, meta);
  }

  encode(role: string): Uint8Array {
    const signed = this.#signedOf(role);
    return encodeSigned(signed, this.signers.get(role) ?? []);
  }

  /** Changes the JSON of a published file after it was signed. */
  tamper(file: string, change: (json: { signed: Record<string, unknown>; signatures: { keyid: string; sig: string }[] }) => void): void {
    const json = JSON.parse(Buffer.from(this.files.get(file) ?? '').toString());
    change(json);
    this.files.set(file, Buffer.from(JSON.stringify(json)));
  }

  get rootFile(): Uint8Array {
    return this.files.get('1.root.json') ?? new Uint8Array(0);
  }

  fetcher(): MetadataFetcher {
    return {
      fetch: (name) => {
        this.asked.push(name);
        return Promise.resolve(this.files.get(name));
      },
    };
  }

  #signedOf(role: string): SimCommon {
    if (role === 'root') return this.root;
    if (role === 'timestamp') return this.timestamp;
    if (role === 'snapshot') return this.snapshot;
    return this.targetsOf(role);
  }

  #fileName(role: string, version: number): string {
    const name = `${encodeURIComponent(role)}.json`;
    return role === 'timestamp' || (role !== 'root' && !this.root.consistent_snapshot) ? name : `${version}.${name}`;
  }
}

/** Random changes may have left something else than an object. */
function list(files: unknown, name: string, meta: SimMetaFile): void {
  if (typeof files === 'object' && files !== null) Object.assign(files, { [name]: meta });
}

function keyJson(key: TestKey): unknown {
  return { keytype: key.key.keytype, scheme: key.key.scheme, keyval: { public: key.key.public } };
}

export function encodeSigned(signed: object, signers: readonly TestKey[]): Uint8Array {
  const payload = payloadOf(signed);
  const signatures = signers.map((key) => ({ keyid: key.id, sig: Buffer.from(key.signNow(payload)).toString('hex') }));
  return Buffer.from(JSON.stringify({ signatures, signed }));
}

/** What canonical JSON cannot say is signed as it stands, so that a reader gets to see it. */
function payloadOf(signed: object): Uint8Array {
  try {
    return canonicalJson(signed);
  } catch {
    return Buffer.from(JSON.stringify(signed));
  }
}

/** A store in memory; it keeps copies, as a disk does. */
export function memoryStore(): MetadataStore & { readonly files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  return {
    files,
    get: (name) => Promise.resolve(files.get(name)),
    put: (name, bytes) => Promise.resolve(void files.set(name, bytes.slice())),
    delete: (name) => Promise.resolve(void files.delete(name)),
  };
}
