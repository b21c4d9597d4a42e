/** How far an address is: the same network as this machine, or beyond. */
import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { PeerScope } from '../../core/ports/transport.ts';

/** Addresses that are never routed on the Internet (RFC 1918, 6598, 3927, 4193, 4291; loopback). */
const PRIVATE = new BlockList();
for (const [net, prefix] of [['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['100.64.0.0', 10], ['169.254.0.0', 16], ['127.0.0.0', 8]] as const) PRIVATE.addSubnet(net, prefix);
for (const [net, prefix] of [['fc00::', 7], ['fe80::', 10]] as const) PRIVATE.addSubnet(net, prefix, 'ipv6');
PRIVATE.addAddress('::1', 'ipv6');

/** Milliseconds after which the networks of this machine are looked up again. */
const FRESH = 3000;
let known: { at: number; networks: BlockList } | undefined;

/**
 * `lan` for private addresses in a network that an interface of this machine is in, and for the machine itself. A
 * private address of another network may be anything, such as the other end of a tunnel: it is `swarm`.
 */
export function scopeOf(address: string): PeerScope {
  const [, plain = address] = /^(?:::ffff:)?([^%]+)/.exec(address) ?? [];
  const family = isIPv4(plain) ? 'ipv4' : isIPv6(plain) ? 'ipv6' : undefined;
  if (family === undefined || !PRIVATE.check(plain, family)) return 'swarm';
  return ownNetworks().check(plain, family) ? 'lan' : 'swarm';
}

/** Whether an address could be reached from beyond this machine's networks. */
export function isPublic(address: string): boolean {
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  return !PRIVATE.check(address, family);
}

/** Whether an address is that of whoever asks. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

function ownNetworks(): BlockList {
  const now = performance.now();
  if (known !== undefined && now - known.at < FRESH) return known.networks;
  const networks = new BlockList();
  networks.addSubnet('127.0.0.0', 8);
  networks.addAddress('::1', 'ipv6');
  for (const { cidr, family } of Object.values(networkInterfaces()).flatMap((each) => each ?? [])) {
    const [net, prefix] = cidr?.split('/') ?? [];
    if (net !== undefined && prefix !== undefined) networks.addSubnet(net, Number(prefix), family === 'IPv4' ? 'ipv4' : 'ipv6');
  }
  known = { at: now, networks };
  return networks;
}
