/**
 * WebRTC-direct as libp2p's transport, with certificates of our own keeping: a listener for each that is to be shown,
 * on a port of its own, since a browser does not say which one it expects.
 */
import { TypedEventEmitter, transportSymbol, type CreateListenerOptions, type Listener, type ListenerEvents, type Transport } from '@libp2p/interface';
import { webRTC, webRTCDirect } from '@libp2p/webrtc';
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { setSctpSettings } from 'node-datachannel';
import { MossError } from '../../core/error.ts';
import { nodeClock } from '../clock.ts';
import type { Certificates, KeptCertificate } from './certificates.ts';
import { isPublic } from './scope.ts';
import { freeUdpPort } from './udp-port.ts';

/** Milliseconds between two looks at whether a certificate is due. */
const LOOK = 3600_000;
/** No server is asked which address this machine has: who is dialled has told its own. */
const RTC = { rtcConfiguration: { iceServers: [] } };
/** Milliseconds until all have noticed that a host is gone: they ask for 30 seconds whether it is still there (RFC 7675). */
const LINGER = 60_000;
/**
 * Bytes that may be under way to this machine on one connection. Of libdatachannel's mebibyte the acknowledgements, and wants with
 * them, overflow the 128 KiB that Chromium has for datagrams which it has not read yet: one of ten was lost on a busy machine, and
 * what is lost is sent again a third of a second later. With so much none is; over a way of 50 ms there and back that is 5 MB/s.
 */
const RECEIVE_WINDOW = 256 * 1024;
/** Relays that are asked by which address they see this machine. */
const ASKED = 2;

/** What libp2p gives a transport: both kinds together want this. */
type Components = Parameters<ReturnType<typeof webRTCDirect>>[0] & Parameters<ReturnType<typeof webRTC>>[0];

/** One certificate that is shown. */
interface Shown {
  certificate: KeptCertificate;
  listener: Listener;
}

/**
 * @param certificates up to date
 * @param relays addresses that lead by way of those relays which this host uses, if it may meet others by them
 */
export function webRtcTransports(certificates: Certificates, relays: (() => Multiaddr[]) | undefined): ((components: Components) => Transport)[] {
  setSctpSettings({ recvBufferSize: RECEIVE_WINDOW });
  return [keptWebRtc(certificates), ...(relays === undefined ? [] : [webRTC({ rtcConfiguration: () => ({ iceServers: stunServers(relays()).map((urls) => ({ urls })) }) })])];
}

/** Relays answer STUN where they answer TCP; those of the Internet know more than those nearby. */
export function stunServers(relays: readonly Multiaddr[]): string[] {
  const seen = relays.flatMap((address) => {
    const parts = address.getComponents();
    const [host, port] = [parts.find(({ name }) => name === 'ip4' || name === 'ip6'), parts.find(({ name }) => name === 'tcp')];
    if (host?.value === undefined || port?.value === undefined || parts.some(({ name }) => name === 'ws' || name === 'wss')) return [];
    return [{ isPublic: isPublic(host.value), url: `stun:${host.name === 'ip6' ? `[${host.value}]` : host.value}:${port.value}` }];
  });
  const urls = seen.toSorted((a, b) => Number(b.isPublic) - Number(a.isPublic)).map(({ url }) => url);
  return [...new Set(urls)].slice(0, ASKED);
}

function keptWebRtc(certificates: Certificates): (components: Components) => Transport {
  return (components) => {
    const dialler = webRTCDirect(RTC)(components);
    return {
      [transportSymbol]: true,
      [Symbol.toStringTag]: '@libp2p/webrtc-direct',
      dial: (address, options) => dialler.dial(address, options),
      dialFilter: (addresses) => dialler.dialFilter(addresses),
      listenFilter: (addresses) => dialler.listenFilter(addresses),
      createListener: (options) => new KeptListener(certificates, components, options),
    };
  };
}

class KeptListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #certificates: Certificates;
  readonly #components: Components;
  readonly #options: CreateListenerOptions;
  #shown: Shown[] = [];
  /** Whose certificates are not shown any more: who is connected by them stays so. */
  readonly #ended: Shown[] = [];
  #base = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(certificates: Certificates, components: Components, options: CreateListenerOptions) {
    super();
    this.#certificates = certificates;
    this.#components = components;
    this.#options = options;
  }

  /** @param address its port is not heeded: each certificate has its own */
  async listen(address: Multiaddr): Promise<void> {
    this.#base = address.toString().replace(/\/udp\/.*$/, '');
    await this.#show();
    this.#timer = setInterval(() => {
      this.#certificates
        .renew(nodeClock.now())
        .then(() => this.#show())
        .catch(() => undefined);
    }, LOOK);
    this.#timer.unref();
  }

  getAddrs(): Multiaddr[] {
    return this.#shown.flatMap(({ listener }) => listener.getAddrs());
  }

  updateAnnounceAddrs(addresses: Multiaddr[]): void {
    this.#shown[0]?.listener.updateAnnounceAddrs(addresses);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#shown, ...this.#ended].map(({ listener }) => listener.close()));
    this.#shown = [];
    this.safeDispatchEvent('close');
  }

  /** Shows what is to be shown, and no longer what ended. */
  async #show(): Promise<void> {
    const wanted = this.#certificates.current;
    const kept = this.#shown.filter(({ certificate }) => wanted.includes(certificate));
    const ended = this.#shown.filter(({ certificate }) => !wanted.includes(certificate));
    const fresh = wanted.filter((certificate) => !kept.some((each) => each.certificate === certificate));
    if (ended.length === 0 && fresh.length === 0) return;
    this.#ended.push(...ended);
    this.#shown = [...(await Promise.all(fresh.map((certificate) => this.#open(certificate)))), ...kept];
    this.safeDispatchEvent('listening');
  }

  /** On the port that it was shown on before, or another one where that is taken: the address changes then. */
  async #open(certificate: KeptCertificate): Promise<Shown> {
    if (certificate.port === 0) return this.#listen(certificate, await freeUdpPort());
    try {
      return await this.#listen(certificate, certificate.port);
    } catch {
      return this.#listen(certificate, await freeUdpPort());
    }
  }

  async #listen(certificate: KeptCertificate, port: number): Promise<Shown> {
    const { pem, privateKey, certhash } = certificate;
    const transport: Transport & { start?: () => Promise<void> } = webRTCDirect({ ...RTC, certificate: { pem, privateKey, certhash } })(this.#components);
    await transport.start?.();
    const listener = transport.createListener(this.#options);
    await listener.listen(multiaddr(`${this.#base}/udp/${port}/webrtc-direct`));
    lingers(listener);
    this.#certificates.placed(certhash, port);
    return { certificate, listener };
  }
}

/**
 * libdatachannel 0.24 frees a listener that is to stop and goes on calling it: whether it was stopped before is read from memory that
 * nobody wrote (`mStopped` of `IceUdpMuxListener`). The next datagram of a browser whose connection was just closed then ends the
 * process, which it did in one stop of `moss serve` of five, and still now and then when it lingered for a second. So a listener lingers
 * until all have noticed, or until the process is over.
 */
function lingers(listener: Listener): void {
  const server: unknown = Reflect.get(listener, 'stunServer');
  if (typeof server !== 'object' || server === null || !('close' in server) || typeof server.close !== 'function') throw new MossError('bug', 'libp2p listens by WebRTC in another way than this was made for');
  const close = server.close.bind(server);
  server.close = async () => void setTimeout(close, LINGER).unref();
}
