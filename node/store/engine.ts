import { setFlagsFromString } from 'node:v8';

/**
 * What V8 is told for commands that take seconds. It holds for all threads of the process, and a thread of the store says it,
 * once it has started: V8 takes what Node keeps compiled of its own modules only under the flags that it was made with, so that
 * every thread that starts later takes twice as long: 80 instead of 42 ms of processor time (measured).
 *
 * @param asksPeers then JavaScript has much to do: the ciphers of libp2p
 */
export function tuneEngine({ asksPeers }: { asksPeers: boolean }): void {
  // Keeps the young generation at its size. Installing makes much short-lived garbage, most of it small handles of large
  // buffers: with the usual growth the peak memory of an install is 55 MB higher, and no faster (measured).
  setFlagsFromString('--semi-space-growth-factor=1');
  // Keeps V8 from its last and slowest compiler: a command is over before what that makes pays, and its threads take the cores
  // from the others. It is 7 % of the processor time of `moss verify`, 5 % of an update, and nothing of an installation (measured).
  if (!asksPeers) setFlagsFromString('--no-turbofan');
}
