import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8 from its last and slowest compiler: a command is over before what that makes pays, and its threads take the
 * cores from the others. It is 7 % of the processor time of `moss verify`, 5 % of an update, and nothing of an
 * installation (measured). Not where peers are asked: the ciphers of libp2p are JavaScript, and worth it.
 */
export function compileQuickly(): void {
  setFlagsFromString('--no-turbofan');
}
