/** Where a host is to be reached. */
import { isIP } from 'node:net';

export interface Listening {
  /** An address of this machine; all of them, where it is not given. */
  host?: string | undefined;
  port: number;
  bulkPort: number;
  webSocketPort?: number | undefined;
}

/** Multiaddrs for libp2p. */
export function listenAddresses({ host, port, webSocketPort }: Listening, { webRtc, webTransport }: { webRtc: boolean; webTransport: boolean }): string[] {
  const ends = [`tcp/${port}`, ...(webSocketPort === undefined ? [] : [`tcp/${webSocketPort}/ws`]), ...(webRtc ? ['udp/0/webrtc-direct'] : [])];
  const own = host === 'localhost' ? '127.0.0.1' : host;
  const bases = own === undefined || own === '0.0.0.0' || own === '::' ? ['/ip4/0.0.0.0', '/ip6/::'] : [isIP(own) === 0 ? `/dns/${own}` : `/ip${isIP(own)}/${own}`];
  // Once, since each is a process: for IPv4, where it is to be all addresses.
  const quic = webTransport ? [`${bases[0] ?? ''}/udp/0/quic-v1/webtransport`] : [];
  return [...ends.flatMap((end) => bases.map((base) => `${base}/${end}`)), ...quic];
}
