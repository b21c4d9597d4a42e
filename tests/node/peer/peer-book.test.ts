import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { PeerBook } from '../../../node/peer/peer-book.ts';
import { uploadLimits } from '../../../node/peer/upload-limits.ts';
import { temporaryDirectory } from '../../e2e/fixture.ts';

const DAY = 24 * 3600 * 1000;

describe('the book of peers', () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let time = 0;
  const open = (): PeerBook => new PeerBook(join(directory.path, 'peer', 'peers.sqlite'), () => time);
  beforeEach(() => {
    directory = temporaryDirectory('book');
    time = Date.UTC(2026, 10, 22);
  });
  afterEach(() => directory.remove());

  test('remembers whom it met and what went to and fro, over restarts', () => {
    const book = open();
    book.met('a', { addresses: ['/ip4/10.0.0.1/tcp/1'], scope: 'lan' });
    book.count('a', 'sent', 5);
    book.count('a', 'sent', 6);
    book.count('b', 'received', 7);
    book.close();
    const again = open();
    assert.deepEqual(again.peers(), [
      { id: 'a', addresses: ['/ip4/10.0.0.1/tcp/1'], scope: 'lan', seen: time, sent: 11, received: 0, ban: undefined },
      { id: 'b', addresses: [], scope: 'swarm', seen: 0, sent: 0, received: 7, ban: undefined },
    ]);
    again.close();
  });

  test('a ban lasts a month, and a banned peer is not forgotten for many others', () => {
    const book = open();
    book.ban('liar', 'wrong bytes');
    for (let i = 0; i < 600; i++) book.met(`peer ${i}`, { addresses: [], scope: 'lan' });
    assert.deepEqual(book.banned, ['liar']);
    assert.ok(book.peers().length <= 513);
    time += 31 * DAY;
    assert.deepEqual(book.banned, []);
    book.close();
  });

  test('counts by month; only what goes beyond the local network is of the allowance', () => {
    const book = open();
    book.add('sent', 'lan', 100);
    book.add('sent', 'swarm', 30);
    book.add('received', 'webseed', 1000);
    assert.equal(book.sentThisMonth, 30);
    const limits = uploadLimits({ 'upload-rate': 0, 'monthly-upload': 30 }, book);
    assert.equal(limits.allows('swarm'), false);
    assert.equal(limits.allows('lan'), true);
    time += 20 * DAY;
    assert.equal(book.sentThisMonth, 0);
    book.add('received', 'webseed', 1);
    assert.deepEqual(book.traffic().map(({ month, kind, bytes }) => [month, kind, bytes]), [['2026-12', 'webseed', 1], ['2026-11', 'webseed', 1000], ['2026-11', 'lan', 100], ['2026-11', 'swarm', 30]]);
    book.close();
  });
});
