import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8 from its last and slowest compiler: a command is over before what that makes pays, and its threads take the cores
 * from the others. It is 7 % of the processor time of `moss verify`, 5 % of an update, and nothing of an installation (measured).
 * Not where peers are asked: the ciphers of libp2p are JavaScript, and worth it.
 *
 * It holds for all threads of the process, and a thread of the store says it, once it has started: V8 takes what Node keeps
 * compiled of its own modules only under the flags that it was made with, so that every thread that starts later takes twice as
 * long: 80 instead of 42 ms of processor time (measured).
 */
export function compileQuickly(): void {
  setFlagsFromString('--no-turbofan');
}
