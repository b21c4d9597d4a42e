import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VirtualClock } from '../../../core/memory/clock.ts';
import { TokenBucket } from '../../../core/exchange/token-bucket.ts';

test('a rate holds within 5 % for whatever sizes, and a pause saves up little', async () => {
  for (const size of [4096, 16_384, 65_536, 300_000]) {
    const clock = new VirtualClock();
    const bucket = new TokenBucket(1_000_000, clock);
    const start = clock.now();
    let sent = 0;
    const send = (async () => {
      while (clock.now() - start < 20_000) {
        await bucket.take(size);
        sent += size;
      }
    })();
    await clock.run(send);
    const rate = sent / ((clock.now() - start) / 1000);
    assert.ok(Math.abs(rate - 1_000_000) < 50_000, `${size}: ${rate}`);
  }
});
