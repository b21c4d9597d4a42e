/**
 * How a change becomes real: a fixed order of steps, each of which may be the last one before a crash. The state is
 * the old one until `current` is replaced by one rename, and the new one from then on.
 */
import type { AbortOptions } from '../ports/abort.ts';

/** The steps in their order, and what is true on disk once each is done. */
export const STEPS = [
  /** Every missing file lies verified in the staging directory. */
  'fetch',
  /** The staged files are durable, and under their names in the store. */
  'store',
  /** The whole tree of the new state is linked under a temporary name, durable. */
  'link',
  /** The tree has its number: it can be activated. The intended configuration is written down. */
  'seal',
  /** `current` leads to the new state. */
  'activate',
  /** The user's files follow, and the note about them is gone. */
  'configure',
] as const;
export type Step = (typeof STEPS)[number];

/** What does the steps: the adapter of a platform, or of a simulation. */
export type Machine = Record<Step, (options: AbortOptions) => Promise<void>>;

export interface TransactionOptions extends AbortOptions {
  onStep?: ((step: Step) => void) | undefined;
}

/** Does all steps. An abort is heeded until the new state is activated; after that the rest is always done. */
export async function runTransaction(machine: Machine, options: TransactionOptions = {}): Promise<void> {
  for (const step of STEPS) {
    const final = step === 'activate' || step === 'configure';
    if (!final) options.signal?.throwIfAborted();
    options.onStep?.(step);
    await machine[step](final ? {} : { signal: options.signal });
  }
}

/** What a crash can leave behind. */
export interface Leftovers {
  /** Trees under temporary names. */
  unsealed: string[];
  /** The number of the state that is active, if any. */
  active: number | undefined;
  /** For which state configuration was to be done, if the note is there. */
  configuring: number | undefined;
}

export type Repair = { do: 'discard'; tree: string } | { do: 'configure'; state: number } | { do: 'forget-configuration' };

/** What brings a root to a clean state after a crash, from what is found there. */
export function recover({ unsealed, active, configuring }: Leftovers): Repair[] {
  const repairs: Repair[] = unsealed.map((tree) => ({ do: 'discard', tree }));
  // The note is written before the switch: if the switch did not happen, the user's files must stay as they are.
  if (configuring !== undefined) {
    repairs.push(configuring === active ? { do: 'configure', state: configuring } : { do: 'forget-configuration' });
  }
  return repairs;
}
