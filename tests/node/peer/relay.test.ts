/** What a relay carries for two peers that cannot dial each other: enough to meet, and no more. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Connection } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { EXCHANGE } from '../../../core/exchange/protocol.ts';
import { Host } from '../../../node/peer/host.ts';
import { passingIdentity } from '../../../node/peer/identity.ts';
import { openLibp2p, type Network } from '../../../node/peer/libp2p.ts';

const PROTOCOL = '/test/relayed/1';
const LIMIT = 128 * 1024;
const PIECE = 16 * 1024;

describe('a relay', { timeout: 600_000 }, () => {
  let relay: Host;
  let hidden: Network;
  let dialler: Network;
  let received = 0;
  const cut = Promise.withResolvers<void>();

  async function meet(): Promise<Connection> {
    const [address] = relay.addresses;
    return dialler.dial(multiaddr(`${address?.toString()}/p2p-circuit/p2p/${hidden.peerId.toString()}`), { signal: AbortSignal.timeout(60_000) });
  }

  before(async () => {
    relay = await Host.start({ key: passingIdentity(), scope: 'swarm', listen: { host: '127.0.0.1', port: 0, bulkPort: 0 }, swarm: { table: 'server', relay: true, relayed: false, announce: [] }, connections: 16 });
    [hidden, dialler] = await Promise.all([peer(true), peer(false)]);
    await hidden.handle(EXCHANGE, (stream) => stream.abort(new Error('nothing is served here')), { runOnLimitedConnection: false });
    await hidden.handle(
      PROTOCOL,
      (stream) => {
        stream.addEventListener('message', ({ data }) => (received += data.byteLength));
        stream.addEventListener('close', () => cut.resolve());
      },
      { runOnLimitedConnection: true },
    );
    await hidden.dial(relay.addresses);
    for (let tries = 0; hidden.getMultiaddrs().length === 0; tries++) {
      assert.ok(tries < 200, 'a place at the relay');
      await setTimeout(50);
    }
  });

  after(async () => {
    await Promise.all([relay?.stop(), hidden?.stop(), dialler?.stop()]);
  });

  test('lets two meet over a connection that says its limits, and no content is asked over it', async () => {
    const connection = await meet();
    const { limits } = connection;
    assert.ok(limits?.bytes !== undefined && limits.bytes <= BigInt(LIMIT));
    assert.ok(limits.seconds !== undefined);
    await assert.rejects(connection.newStream(EXCHANGE), { name: 'LimitedConnectionError' });
    await connection.close();
  });

  test('cuts who sends more than that', async () => {
    const connection = await meet();
    const stream = await connection.newStream(PROTOCOL, { runOnLimitedConnection: true });
    for (let sent = 0; sent < 4 * LIMIT && stream.status === 'open'; sent += PIECE) {
      stream.send(new Uint8Array(PIECE));
      await setTimeout(5);
    }
    await cut.promise;
    assert.ok(received > 0 && received <= LIMIT, `${received} bytes came`);
  });
});

/** A peer that only knows the relay. */
async function peer(relayed: boolean): Promise<Network> {
  const libp2p = await openLibp2p({ key: passingIdentity(), scope: 'swarm', swarm: { table: 'client', relay: false, relayed, announce: [] }, connections: 8, banned: new Set() });
  await libp2p.start();
  return libp2p;
}
