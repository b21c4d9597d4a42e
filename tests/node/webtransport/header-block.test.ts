/** Headers of HTTP/3, as a browser writes them, as the standards print them, and as an attacker would. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { huffmanText, readHeaderBlock, statusBlock } from '../../../node/webtransport/header-block.ts';
import { readVarint, varint } from '../../../node/webtransport/varint.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** RFC 9204 section 4.5: literal lines, and lines of the static table. */
function literal(name: string, value: string): number[] {
  return [0x27, name.length - 7, ...Buffer.from(name), value.length, ...Buffer.from(value)];
}

describe('headers', () => {
  it('are read in the codes of RFC 7541 appendix C', () => {
    assert.equal(huffmanText(hex('f1e3 c2e5 f23a 6ba0 ab90 f4ff')), 'www.example.com');
    assert.equal(huffmanText(hex('a8eb 1064 9cbf')), 'no-cache');
    assert.equal(huffmanText(hex('25a8 49e9 5bb8 e8b4 bf')), 'custom-value');
    assert.equal(huffmanText(hex('9d29 ad17 1863 c78f 0b97 c8e9 ae82 ae43 d3')), 'https://www.example.com');
    assert.throws(() => huffmanText(hex('f1e3 c2e5 f23a 6ba0 ab90 f400')), RangeError, 'zeros are no padding');
    assert.throws(() => huffmanText(hex('a8eb 1064 9cff ff')), RangeError, 'nor is a whole byte of ones');
  });

  it('come from the static table, with a value of their own, or as they are', () => {
    const block = [0, 0, 0xc0 | 15, 0xc0 | 23, 0x50 | 1, 4, ...Buffer.from('/x?y'), ...literal(':protocol', 'webtransport')];
    assert.deepEqual([...readHeaderBlock(Uint8Array.from(block))], [[':method', 'CONNECT'], [':scheme', 'https'], [':path', '/x?y'], [':protocol', 'webtransport']]);
    assert.deepEqual(readHeaderBlock(statusBlock(200, { 'sec-webtransport-http3-draft': 'draft02' })).get('sec-webtransport-http3-draft'), 'draft02');
  });

  it('that are cut off, or want a dynamic table, are refused', () => {
    const block = Uint8Array.from([0, 0, 0x50 | 1, 4, ...Buffer.from('/x?y'), ...literal(':protocol', 'webtransport')]);
    const whole = new Set([2, 8, block.length]);
    for (let length = 0; length < block.length; length++) if (!whole.has(length)) assert.throws(() => readHeaderBlock(block.subarray(0, length)), RangeError, String(length));
    for (const bad of ['01 00 d1', '00 00 81', '00 00 41 00', '00 00 10', '00 00 00 00', '00 00 27 ff ff ff ff 7f']) assert.throws(() => readHeaderBlock(hex(bad)), RangeError, bad);
  });
});

describe('numbers of QUIC', () => {
  it('are those of RFC 9000 appendix A.1, and are read up to eight bytes', () => {
    assert.equal(readVarint(hex('c000000100000001'), 0)?.value, 2 ** 32 + 1);
    assert.equal(Buffer.from(varint(2 ** 32 + 1)).toString('hex'), 'c000000100000001');
    for (const [bytes, value] of [
      ['25', 37],
      ['7bbd', 15_293],
      ['9d7f3e7d', 494_878_333],
      ['7fff', 16_383],
    ] as const) {
      assert.deepEqual(readVarint(hex(bytes), 0), { value, end: bytes.length / 2 });
      for (let length = 0; length < bytes.length / 2; length++) assert.equal(readVarint(hex(bytes).subarray(0, length), 0), undefined);
      assert.equal(Buffer.from(varint(value)).toString('hex'), bytes);
    }
  });
});
