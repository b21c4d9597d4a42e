/** Puts a root in order after a crash: the old state or the new one, never a mixture. */
import { rmSync } from 'node:fs';
import { recover } from '../../core/install/transaction.ts';
import { unsealedTrees } from './apply.ts';
import { clearConfiguring, configureState, readConfiguring } from './configure.ts';
import { activeNumber, reconcileDatabase } from './installed.ts';
import type { System } from './system.ts';

export async function recoverRoot(system: System): Promise<void> {
  const { layout, onEvent } = system;
  const note = readConfiguring(layout);
  const repairs = recover({ unsealed: unsealedTrees(layout.states), active: activeNumber(layout), configuring: note?.state });
  for (const repair of repairs) {
    if (repair.do === 'discard') {
      rmSync(repair.tree, { recursive: true, force: true });
      continue;
    }
    if (repair.do === 'configure' && note !== undefined) {
      onEvent({ type: 'warning', message: 'an earlier run was interrupted after its switch: its configuration is finished now' });
      await configureState(system, note);
    }
    if (repair.do === 'forget-configuration' && note?.fresh === true) rmSync(layout.state(note.state), { recursive: true, force: true });
    clearConfiguring(layout);
  }
  // A repair must be able to begin, whatever is damaged.
  await reconcileDatabase(layout, system.packages, (number, { message }) => {
    onEvent({ type: 'warning', message: `state ${number} is damaged: ${message}`, hint: `Run \`moss state verify ${number} --repair\`.` });
  });
}
