/** How a peer behind a router learns its address from a relay: STUN, by the vectors of RFC 5769 and over real sockets. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import { answerTo, StunServer } from '../../../node/peer/stun-server.ts';
import { stunServers } from '../../../node/peer/webrtc.ts';

const TRANSACTION = 'b7e7a701bc34d686fa87dfae';
const REQUEST = Buffer.from(`000100002112a442${TRANSACTION}`, 'hex');
const PEER = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN';

function answer(address: string, port: number): string {
  return Buffer.from(answerTo(REQUEST, { address, port }) ?? []).toString('hex');
}

test('the address of who asks is masked as in RFC 5769, sections 2.2 and 2.3', () => {
  assert.equal(answer('192.0.2.1', 32853), `0101000c2112a442${TRANSACTION}002000080001a147e112a643`);
  assert.equal(answer('2001:db8:1234:5678:11:2233:4455:6677', 32853), `010100182112a442${TRANSACTION}002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9`);
  assert.equal(answer('::ffff:192.0.2.1', 32853), answer('192.0.2.1', 32853));
});

test('nothing but a binding request is answered', () => {
  const from = { address: '192.0.2.1', port: 1 };
  for (const wrong of [Buffer.alloc(0), REQUEST.subarray(0, 19), Buffer.alloc(20), Buffer.concat([REQUEST, Buffer.alloc(4)]), Buffer.alloc(2000), Buffer.from(`010100002112a442${TRANSACTION}`, 'hex')]) {
    assert.equal(answerTo(wrong, from), undefined);
  }
  // Attributes that are none of its business do not matter.
  const software = Buffer.concat([Buffer.from(`000100082112a442${TRANSACTION}`, 'hex'), Buffer.from('802200046d6f7373', 'hex')]);
  assert.ok(answerTo(software, from));
});

test('a socket that asks is told its port', async () => {
  const server = await StunServer.listen({ host: '127.0.0.1', port: 0 });
  const socket = createSocket('udp4');
  try {
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const heard = once(socket, 'message', { signal: AbortSignal.timeout(5000) });
    socket.send(REQUEST, server.port, '127.0.0.1');
    const [message]: unknown[] = await heard;
    assert.ok(Buffer.isBuffer(message));
    assert.equal(message.toString('hex'), answer('127.0.0.1', socket.address().port));
  } finally {
    socket.close();
    await server.close();
  }
});

test('relays are asked where they answer TCP, and those of the Internet first', () => {
  const relays = [`/ip4/10.0.0.1/tcp/4001/p2p/${PEER}/p2p-circuit`, `/ip4/8.8.4.4/tcp/4001/ws/p2p/${PEER}/p2p-circuit`, `/ip6/2606:4700::1/tcp/4002/p2p/${PEER}/p2p-circuit/webrtc`, `/ip6/2606:4700::1/tcp/4002/p2p/${PEER}/p2p-circuit`];
  assert.deepEqual(stunServers(relays.map((text) => multiaddr(text))), ['stun:[2606:4700::1]:4002', 'stun:10.0.0.1:4001']);
});
