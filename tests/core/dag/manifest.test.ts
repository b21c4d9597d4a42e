import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, integer, property, record } from 'fast-check';
import { rawBlock, verifyBlock } from '../../../core/dag/block.ts';
import { cidOf, parseCid, RAW } from '../../../core/dag/cid.ts';
import { encodeCbor } from '../../../core/dag/codec.ts';
import { decodeManifest, manifestLinks, manifestValue } from '../../../core/dag/manifest.ts';
import { decodeRoot } from '../../../core/dag/root.ts';
import { MossError, type ErrorCode } from '../../../core/error.ts';
import { nodeHasher } from '../../../node/hasher.ts';
import { GOOD_MANIFEST, HOSTILE_MANIFESTS } from './hostile-manifests.ts';

function encode(change: Record<string, unknown>): Uint8Array {
  return encodeCbor(Object.fromEntries(Object.entries({ ...GOOD_MANIFEST, ...change }).filter(([, value]) => value !== undefined)));
}

function says(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof MossError, error instanceof Error ? error.stack : String(error));
    assert.equal(error.code, code, error.message);
    return true;
  };
}

describe('a manifest', () => {
  it('comes back as it was', () => {
    const manifest = decodeManifest(encode({ depends: ['libc6 (>= 2)'], essential: true, conffiles: ['etc/good.conf'] }));
    assert.deepEqual(decodeManifest(encodeCbor(manifestValue(manifest))), manifest);
    assert.deepEqual(encodeCbor(manifestValue(decodeManifest(encodeCbor(manifestValue(manifest))))), encodeCbor(manifestValue(manifest)));
  });

  it('names every block that it links to', () => {
    const links = manifestLinks(decodeManifest(encode({})));
    assert.deepEqual(links.map(String), [cidOf(RAW, new Uint8Array(32)).toString()]);
  });

  for (const { name, change, code } of HOSTILE_MANIFESTS) {
    it(`with ${name} is refused`, () => {
      assert.throws(() => decodeManifest(encode(change)), says(code));
    });
  }

  for (const [name, bytes] of [
    ['nothing', new Uint8Array()],
    ['a text', encodeCbor('a manifest')],
    ['a list', encodeCbor([1])],
    ['null', encodeCbor(null)],
    ['bytes after its end', Buffer.concat([encode({}), Buffer.of(0)])],
    ['a part of itself', encode({}).subarray(0, 40)],
    ['maps in maps, a hundred thousand deep', new Uint8Array(100_000).fill(0xa1)],
    ['a tag that is no link', Uint8Array.of(0xc1, 0x00)],
  ] as const) {
    it(`of ${name} is refused`, () => {
      assert.throws(() => decodeManifest(bytes), says('bad-manifest'));
    });
  }

  it('with any bytes changed is refused with a MossError or still a manifest', () => {
    const good = encode({});
    assertProperty(
      property(array(record({ at: integer({ min: 0, max: good.length - 1 }), byte: integer({ min: 0, max: 255 }) }), { minLength: 1, maxLength: 4 }), (changes) => {
        const changed = Uint8Array.from(good);
        for (const { at, byte } of changes) changed[at] = byte;
        for (const decode of [decodeManifest, decodeRoot]) {
          try {
            decode(changed);
          } catch (error) {
            assert.ok(error instanceof MossError, error instanceof Error ? error.stack : String(error));
          }
        }
      }),
      { numRuns: Number(process.env['MOSS_TEST_FUZZ'] ?? 2000) },
    );
  });
});

describe('a block', () => {
  it('is accepted by its own CID and by no other', async () => {
    const { cid, bytes } = await rawBlock(Buffer.from('moss'), nodeHasher);
    await verifyBlock(cid, bytes, nodeHasher);
    await assert.rejects(verifyBlock(cid, Buffer.from('mosS'), nodeHasher), says('bad-block'));
    await assert.rejects(verifyBlock(cid, Buffer.alloc(0), nodeHasher), says('bad-block'));
  });

  it('of 2 MiB is neither made nor accepted', async () => {
    const large = new Uint8Array(2 * 1024 * 1024);
    await assert.rejects(rawBlock(large, nodeHasher), says('bad-block'));
    await assert.rejects(verifyBlock(cidOf(RAW, nodeHasher.sha256(large)), large, nodeHasher), says('bad-block'));
  });

  for (const text of [
    '',
    'moss',
    'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWKPbdG',
    'zb2rhk6GMPQF3hfzwXTaNYFLKomMeC6UXdUt6jZKPpeVirLtV',
    'BAFKREIFFSGTNIC7UEBAQZYKDHRCATR6AQGKPVDCZZWHYFPWAA6SVKMPOZI',
    `b${'a'.repeat(200)}`,
    'bafkqaaa',
    '../bafkreiffsgtnic7uebaqzykdhrcatr6aqgkpvdczzwhyfpwaa6svkmpozi',
  ]) {
    it(`is not named by ${JSON.stringify(text.slice(0, 70))}`, () => {
      assert.throws(() => parseCid(text), says('bad-cid'));
    });
  }
});
