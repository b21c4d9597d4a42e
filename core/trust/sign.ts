import { MossError } from '../error.ts';
import type { Hasher } from '../ports/hasher.ts';
import type { Signer } from '../ports/signer.ts';
import { type JsonObject, canonicalJson, parseJson } from './canonical-json.ts';
import { asObject, field, formatJson } from './fields.ts';
import { keyId } from './keys.ts';
import type { Root, Signature, TopRole } from './metadata.ts';
import { encodeHex, encodeUtf8 } from './text.ts';

/** A metadata file to write. */
export interface MetadataFile {
  /** Its name in `metadata/`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** The signatures of all signers over the canonical form of `signed`, in the order of the key ids. */
export async function sign(signed: JsonObject, signers: readonly Signer[], hasher: Hasher): Promise<readonly Signature[]> {
  const payload = canonicalJson(signed);
  const signatures = await Promise.all(
    signers.map(async (signer) => ({ keyId: await keyId(signer.key, hasher), sig: encodeHex(await signer.sign(payload)) })),
  );
  return signatures.toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1));
}

/** A metadata file. It is written for people to read too; signatures are over the canonical form, not over this. */
export function encodeMetadata(signed: JsonObject, signatures: readonly Signature[]): Uint8Array {
  return encodeUtf8(formatJson({ signatures: signatures.map(({ keyId: keyid, sig }) => ({ keyid, sig })), signed }));
}

/** The signed part of a metadata file as it stands, with the fields that this program does not know. */
export function signedPart(bytes: Uint8Array): JsonObject {
  return asObject(field(asObject(parseJson(bytes), 'the metadata'), 'signed'), 'signed');
}

/**
 * Those of the signers that can sign for a role, under every one of the roots: a file that is signed for both the
 * old and the new root stays valid while one replaces the other.
 *
 * @throws MossError `missing-key` when a root's threshold is not reached
 */
export async function signersFor(role: TopRole, roots: readonly Root[], signers: readonly Signer[], hasher: Hasher): Promise<readonly Signer[]> {
  const byId = new Map<string, Signer>();
  for (const signer of signers) byId.set(await keyId(signer.key, hasher), signer);
  for (const root of roots) {
    const { keyIds, threshold } = root.roles[role];
    const here = keyIds.filter((id) => byId.has(id));
    if (here.length < threshold) {
      throw new MossError('missing-key', `${threshold} of the ${keyIds.length} ${role} keys must sign, and ${here.length} of them can be used here`, {
        hint: `Put the key files into the directory of keys, and give their passphrase. The ids are ${keyIds.map((id) => id.slice(0, 8)).join(', ')}.`,
        data: { role, threshold, here: here.length },
      });
    }
  }
  const wanted = new Set(roots.flatMap((root) => root.roles[role].keyIds));
  return [...byId].filter(([id]) => wanted.has(id)).map(([, signer]) => signer);
}
