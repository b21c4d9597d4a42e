import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, suite, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { BENT_ROLES, SEARCHES, runBentRole, runSearch } from './delegations.ts';
import { type Client, runScenario } from './scenario.ts';
import { RECOVERY_SCENARIOS } from './recovery-scenarios.ts';
import { SCENARIOS } from './scenarios.ts';
import { SIGNATURE_SCENARIOS } from './signature-scenarios.ts';

/**
 * Takes one check away from the source of the client, and shows that the scenarios notice. A check that can go
 * without a test failing is one that can be lost without anyone knowing.
 */
interface Fault {
  readonly name: string;
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly check: string;
  readonly instead: string;
}

const FAULTS: readonly Fault[] = [
  { name: 'no expiry check', file: 'rules.ts', check: 'if (signed.expires <= startTime)', instead: 'if (false)' },
  { name: 'an expiry check that is a second late', file: 'rules.ts', check: 'signed.expires <= startTime', instead: 'signed.expires < startTime' },
  { name: 'no version check', file: 'rules.ts', check: 'if (signed.version !== promised.version)', instead: 'if (false)' },
  { name: 'no rollback check of the timestamp', file: 'rules.ts', check: 'if (next.signed.version < floors.timestamp)', instead: 'if (false)' },
  { name: 'no rollback check of the snapshot', file: 'rules.ts', check: 'if (next.signed.snapshot.version < floors.snapshot)', instead: 'if (false)' },
  { name: 'no rollback check of targets', file: 'rules.ts', check: 'if (now < version)', instead: 'if (false)' },
  { name: 'no check that targets stay listed', file: 'rules.ts', check: 'if (now === undefined) throw', instead: 'if (now === undefined) continue; if (false) throw' },
  { name: 'no check of the version of a root', file: 'rules.ts', check: 'if (next.signed.version !== trusted.signed.version + 1)', instead: 'if (false)' },
  {
    name: 'no check that the old keys sign a new root',
    file: 'rules.ts',
    check: "await checkSignatures({ role: 'root', metadata: next, keys, roleKeys: roles.root, verifier });",
    instead: '',
  },
  {
    name: 'no check that the new keys sign a new root',
    file: 'rules.ts',
    check: "await checkSignatures({ role: 'root', metadata: next, keys: next.signed.keys, roleKeys: next.signed.roles.root, verifier });",
    instead: '',
  },
  { name: 'no threshold', file: 'signatures.ts', check: 'if (signers.size < roleKeys.threshold)', instead: 'if (signers.size < 1)' },
  { name: 'no signatures at all', file: 'signatures.ts', check: 'if (await verifier.verify(key, signature, metadata.payload))', instead: 'if (true)' },
  { name: 'a key that counts once for each id', file: 'signatures.ts', check: 'signers.set(key.public, keyId)', instead: 'signers.set(keyId, keyId)' },
  { name: 'keys of any role', file: 'signatures.ts', check: 'roleKeys.keyIds.includes(keyId) ? keys.get(keyId) : undefined', instead: 'keys.get(keyId)' },
  { name: 'no hash check', file: 'content.ts', check: 'if (encodeHex(digest) !== expected)', instead: 'if (false)' },
  { name: 'unknown hashes that pass', file: 'content.ts', check: 'if (known === 0)', instead: 'if (false)' },
  { name: 'no size limit', file: 'download.ts', check: 'bytes.length > maxBytes', instead: 'false' },
  { name: 'no check of the type', file: 'metadata.ts', check: 'if (found !== type)', instead: 'if (false)' },
  { name: 'no memory of what was seen', file: 'last-seen.ts', check: 'record.keys === keysOf(root, role) ? record.version : 0', instead: 'record.keys === keysOf(root, role) ? 0 : 0' },
  { name: 'no look at the clock', file: 'last-seen.ts', check: 'now < seen.time - CLOCK_BACK', instead: 'false' },
  { name: 'terminating delegations that end nothing', file: 'find-target.ts', check: 'if (delegation.terminating)', instead: 'if (false)' },
  { name: 'delegations for any path', file: 'find-target.ts', check: 'if (delegations === undefined || !speaksFor(delegation, path, pathHash))', instead: 'if (delegations === undefined)' },
];

const here = mkdtempSync(join(tmpdir(), 'moss-faults-'));
after(() => rmSync(here, { recursive: true, force: true }));
const root = resolve(import.meta.dirname, '../../..');
symlinkSync(join(root, 'node_modules'), join(here, 'node_modules'));
writeFileSync(join(here, 'package.json'), '{"type":"module"}');

async function clientWith(fault: Fault | undefined, at: number): Promise<Client> {
  const core = join(here, `core-${at}`);
  cpSync(join(root, 'core'), core, { recursive: true });
  if (fault !== undefined) {
    const file = join(core, 'trust', fault.file);
    const parts = readFileSync(file, 'utf8').split(fault.check);
    assert.equal(parts.length, 2, `the check stands once in ${fault.file}: ${fault.check}`);
    writeFileSync(file, parts.join(fault.instead));
  }
  const load = (name: string): Promise<Client> => import(pathToFileURL(join(core, 'trust', `${name}.ts`)).href);
  return { ...(await load('bootstrap')), ...(await load('client')), ...(await load('find-target')) };
}

/** The first scenario that fails with a client, if any. */
async function firstFailure(client: Client): Promise<string | undefined> {
  const runs = [
    ...[...SCENARIOS, ...RECOVERY_SCENARIOS, ...SIGNATURE_SCENARIOS].map((scenario) => [scenario.name, () => runScenario(client, scenario)] as const),
    ...SEARCHES.map((search) => [search.name, () => runSearch(client, search)] as const),
    ...BENT_ROLES.map((role) => [role.name, () => runBentRole(client, role)] as const),
  ];
  for (const [name, run] of runs) {
    try {
      await run();
    } catch {
      return name;
    }
  }
  return undefined;
}

void suite('a client with a planted fault', () => {
  void test('is told from one without', async () => {
    assert.equal(await firstFailure(await clientWith(undefined, 0)), undefined);
  });

  FAULTS.forEach((fault, at) => {
    void test(fault.name, async (context) => {
      const failed = await firstFailure(await clientWith(fault, at + 1));
      assert.notEqual(failed, undefined, 'no scenario noticed');
      context.diagnostic(`noticed by "${failed}"`);
    });
  });
});
