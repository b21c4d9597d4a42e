/**
 * WebTransport as libp2p's transport, for listening alone: Node has none to dial with. Browsers dial it with
 * `@libp2p/webtransport`, which knows the certificate by its hash in the address.
 */
import { isIPv6 } from 'node:net';
import type { Socket } from 'node:net';
import { TypedEventEmitter, transportSymbol, type ComponentLogger, type CreateListenerOptions, type Listener, type ListenerEvents, type PeerId, type PrivateKey, type Transport, type Upgrader } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { getThinWaistAddresses } from '@libp2p/utils';
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr';
import { base64url } from 'multiformats/bases/base64';
import { MossError } from '../../core/error.ts';
import { nodeClock } from '../clock.ts';

import type { Certificates, KeptCertificate } from '../peer/certificates.ts';
import { HandshakeStream, SessionConnection, sessionMuxer } from './connection.ts';
import { Gateway, type GatewaySession } from './gateway.ts';

/** https://github.com/libp2p/specs/tree/master/webtransport */
const PATH = '/.well-known/libp2p-webtransport?type=noise';
/** Milliseconds for the handshake. */
const HANDSHAKE = 10_000;
/** Milliseconds between two looks at whether a certificate is due. */
const LOOK = 3600_000;
/** Early streams: the browser may be quicker than the upgrade. */
const EARLY = 10;

export interface WebTransportOptions {
  /** Of the term `BY_WEBTRANSPORT`, and up to date. */
  certificates: Certificates;
  /** Browsers at the same time. */
  connections: number;
  onWarning: (message: string) => void;
}

interface Components {
  peerId: PeerId;
  privateKey: PrivateKey;
  logger: ComponentLogger;
  upgrader: Upgrader;
}

export function webTransportListener(options: WebTransportOptions): (components: Components) => Transport {
  return (components) => ({
    [transportSymbol]: true,
    [Symbol.toStringTag]: '@moss/webtransport',
    dial: () => Promise.reject(new Error('WebTransport is only listened for')),
    dialFilter: () => [],
    listenFilter: (addresses) => addresses.filter(isWebTransport),
    createListener: ({ upgrader }: CreateListenerOptions) => new WebTransportListener(options, components, upgrader),
  });
}

class WebTransportListener extends TypedEventEmitter<ListenerEvents> implements Listener {
  readonly #options: WebTransportOptions;
  readonly #components: Components;
  readonly #upgrader: Upgrader;
  #gateway: Gateway | undefined;
  #base = '';
  #shown: KeptCertificate | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WebTransportOptions, components: Components, upgrader: Upgrader) {
    super();
    this.#options = options;
    this.#components = components;
    this.#upgrader = upgrader;
  }

  /** @param address its port is any where it is 0: that of last time, if it is free */
  async listen(address: Multiaddr): Promise<void> {
    const [ip, udp] = address.getComponents();
    const { certificates, connections, onWarning } = this.#options;
    const host = ip?.value ?? '0.0.0.0';
    const certificate = oldest(certificates);
    this.#base = `/${isIPv6(host) ? 'ip6' : 'ip4'}/${host}`;
    this.#shown = certificate;
    const start = (port: number): Promise<Gateway> => Gateway.start({ host, port, path: PATH, connections, certificate, onWarning, onSession: (session) => this.#meet(session) });
    const last = Number(udp?.value ?? 0) || certificate.port;
    try {
      this.#gateway = last === 0 ? await start(0) : await start(last).catch(() => start(0));
    } catch (error) {
      onWarning(error instanceof MossError && error.hint !== undefined ? `${error.message} (${error.hint})` : String(error));
      throw error;
    }
    this.#place();
    this.#timer = setInterval(() => {
      certificates
        .renew(nodeClock.now())
        .then((hasChanged) => hasChanged && this.#show())
        .catch(() => undefined);
    }, LOOK);
    this.#timer.unref();
    this.safeDispatchEvent('listening');
  }

  getAddrs(): Multiaddr[] {
    if (this.#gateway === undefined) return [];
    const hashes = this.#options.certificates.current.map(({ certhash }) => `/certhash/${certhash}`).join('');
    const port = this.#gateway.port;
    return getThinWaistAddresses(multiaddr(`${this.#base}/udp/${port}`), port).map((address) => multiaddr(`${address.toString()}/quic-v1/webtransport${hashes}`));
  }

  updateAnnounceAddrs(): void {
    // All that can be said of an address is known here.
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#gateway?.close();
    this.#gateway = undefined;
    this.safeDispatchEvent('close');
  }

  /** The one that ends first is shown as long as it lasts: whoever knows it knows the next one from the same address. */
  #show(): void {
    const certificate = oldest(this.#options.certificates);
    if (certificate !== this.#shown) this.#gateway?.show(certificate);
    this.#shown = certificate;
    this.#place();
    this.safeDispatchEvent('listening');
  }

  #place(): void {
    const { certificates } = this.#options;
    for (const { certhash } of certificates.current) certificates.placed(certhash, this.#gateway?.port ?? 0);
  }

  #meet(session: GatewaySession): void {
    const early: Socket[] = [];
    session.onStream = (first) => {
      session.onStream = (socket) => (early.length < EARLY ? void early.push(socket) : session.close());
      this.#upgrade(session, first, early).catch(() => session.close());
    };
  }

  /** Noise on the first stream tells who each side is, and which certificates are ours; QUIC does the encryption. */
  async #upgrade(session: GatewaySession, first: Socket, early: Socket[]): Promise<void> {
    const log = this.#components.logger.forComponent('moss:webtransport');
    const signal = AbortSignal.timeout(HANDSHAKE);
    const webtransportCerthashes = this.#options.certificates.hashes.map((certhash) => base64url.decode(certhash));
    const handshake = new HandshakeStream(first, log);
    const { remotePeer } = await noise({ extensions: { webtransportCerthashes } })(this.#components).secureInbound(handshake, { signal, skipStreamMuxerNegotiation: true });
    await handshake.close();
    const { host, port } = session;
    const connection = new SessionConnection(session, { remoteAddr: multiaddr(`/${isIPv6(host) ? 'ip6' : 'ip4'}/${host}/udp/${port}/quic-v1/webtransport`), log });
    const muxer = sessionMuxer(session);
    const createStreamMuxer: typeof muxer.createStreamMuxer = (each) => {
      const made = muxer.createStreamMuxer(each);
      for (const socket of early.splice(0)) session.onStream(socket);
      return made;
    };
    await this.#upgrader.upgradeInbound(connection, { skipEncryption: true, skipProtection: true, remotePeer, muxerFactory: { ...muxer, createStreamMuxer }, signal });
  }
}

function oldest({ current }: Certificates): KeptCertificate {
  const certificate = current.at(-1);
  if (certificate === undefined) throw new Error('there is no certificate');
  return certificate;
}

function isWebTransport(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'webtransport');
}
