/** What a multiaddr says of how a peer is reached. */
import type { Multiaddr } from '@multiformats/multiaddr';

/** The carrier's name, as it is shown. */
export function transportOf(address: Multiaddr): string {
  const names = new Set(address.getComponents().map(({ name }) => name));
  if (names.has('webrtc')) return 'webrtc';
  if (names.has('p2p-circuit')) return 'relay';
  if (names.has('webrtc-direct')) return 'webrtc-direct';
  if (names.has('webtransport')) return 'webtransport';
  return names.has('ws') || names.has('wss') ? 'websocket' : 'tcp';
}

/** Names and addresses that no other network can mean (RFC 1918, 3927, 4193, 4291, 6761, 6762; loopback). */
const PRIVATE = [/^127\./, /^10\./, /^192\.168\./, /^169\.254\./, /^172\.(1[6-9]|2\d|3[01])\./, /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./, /^\[?::1\]?$/, /^\[?f[cd][0-9a-f]{2}:/i, /^\[?fe[89ab][0-9a-f]:/i, /(^|\.)localhost$/i, /\.local$/i];

export function isPrivate(host: string): boolean {
  return PRIVATE.some((pattern) => pattern.test(host));
}

/**
 * Whether a tab may dial an address. A page from the public web does not touch private networks: whoever wrote the
 * address may want it to knock there. On a secure page the browser itself refuses an insecure WebSocket.
 *
 * @param page the host name of the page
 */
export function mayDial(address: Multiaddr, page: { hostname: string; isSecure: boolean }): boolean {
  const parts = address.getComponents();
  const names = new Set(parts.map(({ name }) => name));
  const hosts = parts.filter(({ name }) => name === 'ip4' || name === 'ip6' || name.startsWith('dns')).map(({ value = '' }) => value);
  if (!isPrivate(page.hostname) && hosts.some(isPrivate)) return false;
  if (names.has('ws') && !names.has('tls') && page.isSecure && !hosts.some(isPrivate)) return false;
  return true;
}
