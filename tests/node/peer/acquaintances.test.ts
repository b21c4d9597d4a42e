/** Whom to connect to, on real sockets. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import { Acquaintances } from '../../../node/peer/acquaintances.ts';
import { Host, type HostEvents } from '../../../node/peer/host.ts';
import { passingIdentity } from '../../../node/peer/identity.ts';
import { PeerBook } from '../../../node/peer/peer-book.ts';
import { temporaryDirectory } from '../../e2e/fixture.ts';

/** Where nobody listens: the connection is refused. */
const NOBODY = '/ip4/127.0.0.1/tcp/1';

describe('acquaintances', { timeout: 600_000 }, () => {
  const ends: (() => Promise<void> | void)[] = [];
  after(async () => {
    for (const end of ends.toReversed()) await end();
  });

  async function start(events: HostEvents = {}): Promise<Host> {
    const host = await Host.start({ key: passingIdentity(), scope: 'lan', listen: { port: 0, bulkPort: 0 }, connections: 16 }, events);
    ends.push(() => host.stop());
    await host.handle(async (stream) => stream.abort(new Error('nothing is served')));
    return host;
  }

  test('a peer that was met elsewhere is reached at the address that is told now', async () => {
    const { path, remove } = temporaryDirectory('acquaintances');
    ends.push(remove);
    const book = new PeerBook(join(path, 'peers.sqlite'));
    ends.push(() => book.close());
    const met = Promise.withResolvers<string>();
    const [host, other] = [await start({ onPeer: ({ id }) => met.resolve(id) }), await start()];
    book.met(other.id, { addresses: [`${NOBODY}/p2p/${other.id}`], scope: 'lan' });
    const acquaintances = new Acquaintances({ host, book, repositories: { list: () => [], known: async () => [] }, announces: false });
    ends.push(() => acquaintances.stop());
    await acquaintances.round();
    acquaintances.found([multiaddr(`${NOBODY}/p2p/${other.id}`), ...other.addresses]);
    assert.equal(await met.promise, other.id);
  });
});
