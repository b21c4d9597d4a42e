/** How a host lets browsers in: its certificates, kept beside its key. */
import { join } from 'node:path';
import { nodeClock } from '../clock.ts';
import { BY_WEBTRANSPORT, Certificates } from './certificates.ts';
import type { HostOptions } from './host.ts';

export interface BrowserListening {
  /** Where certificates are kept. */
  state: string;
  /** Whether WebTransport is listened for, beside WebRTC. */
  webTransport: boolean;
  connections: number;
  onWarning: (message: string) => void;
}

export async function browserListening({ state, webTransport, connections, onWarning }: BrowserListening): Promise<Pick<HostOptions, 'webRtc' | 'webTransport'>> {
  const webRtc = await renewed(new Certificates(join(state, 'webrtc.json')));
  if (!webTransport) return { webRtc };
  const certificates = await renewed(new Certificates(join(state, 'webtransport.json'), BY_WEBTRANSPORT));
  return { webRtc, webTransport: { certificates, connections, onWarning } };
}

async function renewed(certificates: Certificates): Promise<Certificates> {
  await certificates.renew(nodeClock.now());
  return certificates;
}
