/**
 * Peers on the same network by multicast DNS, in the form of libp2p's specification (discovery/mdns.md), under a name
 * of our own: a moss peer looks for nobody else. Each interface has a socket, so that neither the default route nor any
 * route is needed. Addresses are only handed on here: nothing of libp2p is loaded for that.
 */
import { networkInterfaces } from 'node:os';
import { randomBytes } from 'node:crypto';
import createMulticast, { type MulticastDNS } from 'multicast-dns';

const SERVICE = '_moss._udp.local';
/** Milliseconds after the start at which is asked, then the interval. */
const QUERIES = [0, 400, 1500];
const INTERVAL = 20_000;
/** Milliseconds between two answers: one is heard by all who asked meanwhile. */
const ANSWER_AFTER = 20;
/** Seconds for which others may remember an answer. */
const TTL = 120;
/** Addresses in an answer, and bytes of each: it must fit one packet. */
const MAX_ADDRESSES = 8;
const MAX_LENGTH = 255;

export interface LanDiscoveryOptions {
  /** Multiaddrs to answer with, with the peer id in each; nothing is answered where there are none. */
  addresses: () => string[];
  /** Called for each answer of another peer: it may lie, need not be multiaddrs, and comes again and again. */
  onFound: (addresses: string[]) => void;
  /** Called for each packet of anybody on the network, before it is looked at. */
  onPacket?: () => void;
  port?: number;
}

export class LanDiscovery {
  readonly #options: LanDiscoveryOptions;
  readonly #name = `${randomBytes(16).toString('hex')}.${SERVICE}`;
  readonly #sockets = new Map<string, MulticastDNS>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #answering: NodeJS.Timeout | undefined;

  constructor(options: LanDiscoveryOptions) {
    this.#options = options;
  }

  start(): void {
    this.#listen();
    for (const delay of QUERIES) this.#timers.add(setTimeout(() => this.#ask(), delay));
    this.#timers.add(
      setInterval(() => {
        // A cable was plugged in, or a network joined.
        this.#listen();
        this.#ask();
      }, INTERVAL),
    );
    // Those who are here already learn of the new one.
    this.#answer();
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    clearTimeout(this.#answering);
    await Promise.all([...this.#sockets.values()].map((socket) => new Promise<void>((resolve) => socket.destroy(resolve))));
    this.#sockets.clear();
  }

  #listen(): void {
    const interfaces = ownInterfaces();
    for (const [address, socket] of this.#sockets) {
      if (interfaces.includes(address)) continue;
      socket.destroy();
      this.#sockets.delete(address);
    }
    for (const address of interfaces) {
      if (this.#sockets.has(address)) continue;
      // Bound to all addresses: what is sent to the group does not come to a socket that is bound to one.
      const socket = createMulticast({ interface: address, bind: '0.0.0.0', ...(this.#options.port !== undefined && { port: this.#options.port }) });
      this.#sockets.set(address, socket);
      if (this.#options.onPacket !== undefined) socket.on('packet', this.#options.onPacket).on('warning', this.#options.onPacket);
      socket.on('query', ({ questions = [] }) => {
        if (questions.some(({ name }) => name === SERVICE)) this.#answer();
      });
      socket.on('response', ({ answers = [], additionals = [] }) => this.#hear([...answers, ...additionals]));
      // Port 5353 may be somebody else's alone: then this interface is silent.
      socket.on('error', () => undefined);
      socket.on('warning', () => undefined);
    }
  }

  #ask(): void {
    for (const socket of this.#sockets.values()) socket.query({ questions: [{ name: SERVICE, type: 'PTR' }] });
  }

  #answer(): void {
    this.#answering ??= setTimeout(() => {
      this.#answering = undefined;
      const texts = this.#options.addresses().map((address) => `dnsaddr=${address}`).filter((text) => text.length <= MAX_LENGTH).slice(0, MAX_ADDRESSES);
      if (texts.length === 0) return;
      const answers = [
        { name: SERVICE, type: 'PTR' as const, class: 'IN' as const, ttl: TTL, data: this.#name },
        ...texts.map((data) => ({ name: this.#name, type: 'TXT' as const, class: 'IN' as const, ttl: TTL, data })),
      ];
      for (const socket of this.#sockets.values()) socket.respond({ answers });
    }, ANSWER_AFTER);
  }

  #hear(records: readonly { name: string; type: string; data?: unknown }[]): void {
    const pointer = records.find(({ name, type }) => type === 'PTR' && name === SERVICE);
    if (pointer === undefined || pointer.data === this.#name) return;
    const addresses = records
      .filter(({ name, type }) => type === 'TXT' && name === pointer.data)
      .flatMap(({ data }) => (Array.isArray(data) ? data : [data]))
      .slice(0, MAX_ADDRESSES)
      .flatMap((data: unknown) => readAddress(String(data)));
    if (addresses.length > 0) this.#options.onFound(addresses);
  }
}

function readAddress(text: string): string[] {
  return text.startsWith('dnsaddr=') && text.length <= MAX_LENGTH ? [text.slice('dnsaddr='.length)] : [];
}

/** The addresses of this machine's interfaces, one each; the loopback alone where there is nothing else. */
function ownInterfaces(): string[] {
  const first = Object.values(networkInterfaces()).flatMap((each) => each?.find(({ family }) => family === 'IPv4') ?? []);
  const outside = first.filter(({ internal }) => !internal);
  return (outside.length > 0 ? outside : first).map(({ address }) => address);
}
