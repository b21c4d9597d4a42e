import { activeNumber, stateNumbers } from '../system/installed.ts';
import { pinnedStates } from '../system/pins.ts';
import { recordOf } from '../system/records.ts';
import { count, formatTime, table } from '../ui/format.ts';
import type { Context } from './context.ts';

export async function run({ layout, output }: Context): Promise<void> {
  const active = activeNumber(layout);
  const pinned = pinnedStates(layout);
  const states = stateNumbers(layout).map((number) => recordOf({ layout }, number, { mend: false }).state);
  if (states.length === 0) output.note('There is no state yet: `moss install PACKAGE` makes the first.');
  const { bold, green, dim } = output.style;
  output.result(
    'state-list',
    {
      active: active ?? null,
      states: states.map(({ number, created, reason, packages }) => ({ number, created, reason, packages: packages.length, active: number === active, pinned: pinned.has(number) })),
    },
    () =>
      table(
        states.map(({ number, created, reason, packages }) => [
          bold(String(number).padStart(3)),
          formatTime(created),
          count(packages.length, 'package'),
          [number === active ? green('active') : '', pinned.has(number) ? 'pinned' : ''].filter((word) => word !== '').join(', '),
          dim(reason),
        ]),
      ),
  );
}
