/** Where a host listens, and which of these addresses others are told of: a part of libp2p, since only parts see both. */
import type { Multiaddr } from '@multiformats/multiaddr';
import { isPublicAddress, reachOf } from './address.ts';
import { isLoopback } from './scope.ts';

/** What is used of libp2p's own parts. */
export interface AddressParts {
  transportManager: { getAddrs(): Multiaddr[] };
  addressManager: { getAddresses(): Multiaddr[]; confirmObservedAddr(address: Multiaddr, options: { type: 'transport' }): void };
}

/** How peers beyond the local network get to a host. */
export type Reachability = 'directly' | 'by-relay' | 'none';

export class OwnAddresses {
  readonly #parts: AddressParts;

  constructor(parts: AddressParts) {
    this.#parts = parts;
  }

  /** All at which this host listens, whether anybody else can reach them or not. */
  get listening(): Multiaddr[] {
    return this.#parts.transportManager.getAddrs();
  }

  /** The port of a transport; 0 where it does not listen by it. */
  port(transport: 'tcp' | 'websocket'): number {
    const address = this.listening.find((each) => reachOf(each).transport === transport);
    return Number(address?.getComponents().find(({ name }) => name === 'tcp')?.value ?? 0);
  }

  /** What others found out so far, who tried to dial this host. */
  get reachable(): Reachability {
    const addresses = this.#parts.addressManager.getAddresses();
    if (addresses.some(isPublicAddress)) return 'directly';
    return addresses.some((address) => reachOf(address).transport === 'relay') ? 'by-relay' : 'none';
  }

  /**
   * What others are told of these: the loopback only by a host that listens nowhere else, even where there is nothing else
   * yet. A place at a relay is not listening.
   */
  told(addresses: readonly Multiaddr[]): Multiaddr[] {
    const isAtHome = this.listening.filter((address) => reachOf(address).host !== undefined).every(isLoopbackAddress);
    return isAtHome ? [...addresses] : addresses.filter((address) => !isLoopbackAddress(address));
  }

  /**
   * Tells others of the public addresses of this machine's own interfaces before anybody confirmed them: for a server, whose
   * operator knows that it can be reached. libp2p tells of none that no other peer has dialled, and nobody could be the first.
   */
  trust(): void {
    for (const address of this.listening.filter(isPublicAddress)) this.#parts.addressManager.confirmObservedAddr(address, { type: 'transport' });
  }
}

function isLoopbackAddress(address: Multiaddr): boolean {
  return isLoopback(reachOf(address).host ?? '');
}
