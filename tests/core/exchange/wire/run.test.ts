import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as assertProperty, integer, nat, property, tuple, uint8Array } from 'fast-check';
import { MossError } from '../../../../core/error.ts';
import { decodeRun, encodeRun, runOverhead } from '../../../../core/exchange/wire/run.ts';

const isRefusal = (error: unknown): boolean => error instanceof MossError && error.code === 'bad-message';

describe('a run', () => {
  it('has these bytes', () => {
    const run = encodeRun([{ number: 5, bytes: Uint8Array.of(1, 2) }, { number: 9, bytes: new Uint8Array(0) }, { number: 0xffff_ffff, bytes: Uint8Array.of(3) }]);
    assert.equal(Buffer.from(run).toString('hex'), '000300000005000000020000000900000000ffffffff00000001010203');
  });

  it('comes out as it went in', () => {
    assertProperty(
      property(array(tuple(integer({ min: 1, max: 1000 }), uint8Array({ maxLength: 200 })), { minLength: 1, maxLength: 50 }), (parts) => {
        let number = 0;
        const entries = parts.map(([step, bytes]) => ({ number: (number += step), bytes }));
        const run = encodeRun(entries);
        assert.equal(run.length, runOverhead(entries.length) + parts.reduce((sum, [, { length }]) => sum + length, 0));
        assert.deepEqual(decodeRun(run), entries);
      }),
    );
  });

  it('is refused when its answers do not fit into it, do not ascend, or are none', () => {
    const run = Buffer.from(encodeRun([{ number: 5, bytes: Uint8Array.of(1, 2) }, { number: 9, bytes: Uint8Array.of(3) }]));
    const altered = (at: number, value: number): Buffer => {
      const copy = Buffer.from(run);
      copy.writeUInt32BE(value, at);
      return copy;
    };
    const refused = [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(2), Buffer.from('0401', 'hex'), run.subarray(0, -1), Buffer.concat([run, Buffer.alloc(1)]), altered(10, 5), altered(10, 4), altered(6, 0xffff_ffff), altered(14, 0)];
    for (const bytes of refused) assert.throws(() => decodeRun(bytes), isRefusal, bytes.toString('hex'));
  });

  it('is read or refused whatever it is', () => {
    assertProperty(
      property(uint8Array({ maxLength: 300 }), nat(40), (noise, count) => {
        if (noise.length >= 2) [noise[0], noise[1]] = [0, count];
        try {
          decodeRun(noise);
        } catch (error) {
          assert.ok(isRefusal(error));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
