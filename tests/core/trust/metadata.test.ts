import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { MossError } from '../../../core/error.ts';
import { decodeLastSeen } from '../../../core/trust/last-seen.ts';
import { parseRoot, parseSnapshot, parseTargets, parseTimestamp } from '../../../core/trust/metadata.ts';
import { baseline } from './mutation.ts';

const sim = baseline({ hashes: true });
const parsers = { root: parseRoot, timestamp: parseTimestamp, snapshot: parseSnapshot, targets: parseTargets, seen: decodeLastSeen };

/** Metadata, or a MossError that says `bad-metadata`; anything else is a fault. */
function parsesOrSays(bytes: Uint8Array): void {
  for (const [name, parse] of Object.entries(parsers)) {
    try {
      parse(bytes);
    } catch (error) {
      assert.ok(error instanceof MossError && error.code === 'bad-metadata', `${name}: ${String(error)}`);
      assert.notEqual(error.hint, undefined);
    }
  }
}

void suite('parsing metadata', () => {
  void test('of any bytes ends in metadata or in bad-metadata', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), parsesOrSays), { numRuns: 500 });
  });

  void test('of any JSON too', () => {
    const value = fc.oneof(fc.jsonValue(), fc.record({ signed: fc.jsonValue(), signatures: fc.jsonValue() }));
    fc.assert(fc.property(value, (json) => parsesOrSays(Buffer.from(JSON.stringify(json)))), { numRuns: 500 });
  });

  void test('of files with some bytes changed, cut or doubled too', () => {
    const files = [...sim.files.values()];
    const change = fc.record({ file: fc.nat(), at: fc.nat(), size: fc.nat({ max: 40 }), bytes: fc.uint8Array({ maxLength: 4 }) });
    fc.assert(
      fc.property(change, ({ file, at, size, bytes }) => {
        const good = files[file % files.length] ?? new Uint8Array(0);
        const from = at % good.length;
        parsesOrSays(Buffer.concat([good.subarray(0, from), bytes, good.subarray(from + size)]));
      }),
      { numRuns: 1000 },
    );
  });

  void test('nested without end is refused, wherever it is', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    parsesOrSays(Buffer.from(deep));
    parsesOrSays(Buffer.from(`{"signed":{"_type":"root","spec_version":"1.0.0","version":1,"expires":"2030-01-01T00:00:00Z","x":${deep}},"signatures":[]}`));
  });

  void test('knows no names that an object has by nature', () => {
    const signed = { _type: 'targets', spec_version: '1.0.0', version: 1, expires: '2030-01-01T00:00:00Z', targets: {} };
    const targets = parseTargets(Buffer.from(JSON.stringify({ signed, signatures: [] })));
    assert.equal(targets.signed.targets.get('constructor'), undefined);
    const text = JSON.stringify({ signed, signatures: [] }).replace('"targets":{}', '"targets":{"__proto__":{"length":1,"hashes":{"sha256":"00"}}}');
    assert.equal(parseTargets(Buffer.from(text)).signed.targets.get('__proto__')?.length, 1);
  });
});
