/** What a tab may dial: nobody's page makes it knock at a private network. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { multiaddr } from '@multiformats/multiaddr';
import { mayDial, transportOf } from '../../web/net/reach.ts';

const HASH = 'uEiDb1aMjxwUEqIzjMVQg0_4et0qm_WmpgCEg0ZVDSAPLlA';
const PEER = '12D3KooWLcjrhzdX935PKNPfH9CDYN2BuQkWbWaZc2E1HZyhecX2';
const PUBLIC = { hostname: 'donate.example.org', isSecure: true };
const LOCAL = { hostname: '127.0.0.1', isSecure: false };

const CASES: readonly [address: string, transport: string, fromPublic: boolean, fromLocal: boolean][] = [
  [`/ip4/192.0.2.1/udp/4001/webrtc-direct/certhash/${HASH}/p2p/${PEER}`, 'webrtc-direct', true, true],
  [`/ip4/192.168.1.1/udp/80/webrtc-direct/certhash/${HASH}/p2p/${PEER}`, 'webrtc-direct', false, true],
  [`/ip6/fd00::2/udp/80/webrtc-direct/certhash/${HASH}/p2p/${PEER}`, 'webrtc-direct', false, true],
  [`/ip4/127.0.0.1/tcp/80/ws/p2p/${PEER}`, 'websocket', false, true],
  [`/ip4/192.0.2.1/tcp/80/ws/p2p/${PEER}`, 'websocket', false, true],
  [`/dns4/router.local/tcp/443/tls/ws/p2p/${PEER}`, 'websocket', false, true],
  [`/dns4/peer.example.org/tcp/443/tls/ws/p2p/${PEER}`, 'websocket', true, true],
  [`/ip4/192.0.2.1/udp/4001/quic-v1/webtransport/certhash/${HASH}/p2p/${PEER}`, 'webtransport', true, true],
  [`/ip4/192.0.2.1/tcp/4001/p2p/${PEER}/p2p-circuit/webrtc/p2p/${PEER}`, 'webrtc', true, true],
  [`/ip4/10.0.0.1/tcp/4001/p2p/${PEER}/p2p-circuit/webrtc/p2p/${PEER}`, 'webrtc', false, true],
];

describe('a tab', () => {
  for (const [address, transport, fromPublic, fromLocal] of CASES) {
    it(`${fromPublic ? 'dials' : 'does not dial'} ${address.replace(/\/(certhash|p2p)\/\w+/g, '')} from the public web`, () => {
      const parsed = multiaddr(address);
      assert.equal(transportOf(parsed), transport);
      assert.equal(mayDial(parsed, PUBLIC), fromPublic);
      assert.equal(mayDial(parsed, LOCAL), fromLocal);
    });
  }
});
