import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import * as fc from 'fast-check';
import { canonicalJson, parseJson } from '../../../core/trust/canonical-json.ts';
import { asTime, formatTime } from '../../../core/trust/fields.ts';
import { decodeHex, decodeUtf8, encodeHex, encodeUtf8 } from '../../../core/trust/text.ts';

const badMetadata = (error: { code: string }): boolean => error.code === 'bad-metadata';

void suite('canonical JSON', () => {
  const cases: readonly [unknown, string][] = [
    [{ b: [1, true, null], a: 'x' }, '{"a":"x","b":[1,true,null]}'],
    ['quote " backslash \\ newline \n tab \t', '"quote \\" backslash \\\\ newline \n tab \t"'],
    ['ü€😀', '"ü€😀"'],
    [{ '\u{1F600}': 1, '\uFFFD': 2, a: 3 }, '{"a":3,"\uFFFD":2,"\u{1F600}":1}'],
    [-0, '0'],
    [{}, '{}'],
  ];
  for (const [value, expected] of cases) {
    void test(`of ${JSON.stringify(value)}`, () => assert.equal(Buffer.from(canonicalJson(value)).toString(), expected));
  }

  void test('has no fractions, no halves of characters, no depth without end', () => {
    const deep = JSON.parse(`${'['.repeat(100)}${']'.repeat(100)}`);
    for (const value of [1.5, 2 ** 53, Number.NaN, '\ud800', { '\udfff': 1 }, undefined, deep]) {
      assert.throws(() => canonicalJson(value), badMetadata);
    }
  });

  void test('is the same for the same value in any order and spacing', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.oneof(fc.maxSafeInteger(), fc.string({ unit: 'binary' }))), (value) => {
        const shuffled = Object.fromEntries(Object.entries(value).toReversed());
        assert.deepEqual(canonicalJson(parseJson(Buffer.from(JSON.stringify(shuffled, undefined, 3)))), canonicalJson(value));
      }),
    );
  });

  void test('parsing refuses what is no JSON in UTF-8, a mark at its beginning included', () => {
    for (const bytes of [[], [0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xef, 0xbb, 0xbf, 0x31], [0xf4, 0x90, 0x80, 0x80], [0x22, 0xe2, 0x82], [0x7b]]) {
      assert.throws(() => parseJson(Uint8Array.from(bytes)), badMetadata, String(bytes));
    }
  });
});

void suite('text', () => {
  void test('UTF-8 there and back is as the platform has it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        assert.deepEqual(Buffer.from(encodeUtf8(text)), Buffer.from(text));
        assert.equal(decodeUtf8(Buffer.from(text)), text);
      }),
    );
    assert.equal(decodeUtf8(Buffer.from('ü'.repeat(10_000))).length, 10_000);
  });

  void test('whether bytes are UTF-8 is as the platform says', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
        let expected: string | undefined;
        try {
          expected = strict.decode(bytes);
        } catch {
          assert.throws(() => decodeUtf8(bytes), badMetadata);
          return;
        }
        assert.equal(decodeUtf8(bytes), expected);
      }),
      { numRuns: 2000 },
    );
  });

  void test('hex', () => {
    assert.equal(encodeHex(Uint8Array.of(0, 15, 255)), '000fff');
    assert.deepEqual(decodeHex('000FfF'), Uint8Array.of(0, 15, 255));
    assert.equal(decodeHex('0'), undefined);
    assert.equal(decodeHex('0g'), undefined);
  });

  void test('times are of the one form that TUF has', () => {
    assert.equal(formatTime(asTime('2030-01-31T23:59:59Z', 'x')), '2030-01-31T23:59:59Z');
    for (const text of ['2030-02-30T00:00:00Z', '2030-01-01T00:00:00.5Z', '2030-01-01T00:00:00+00:00', '2030-01-01', '2030-01-01T24:00:00Z', '']) {
      assert.throws(() => asTime(text, 'x'), badMetadata, text);
    }
  });
});
