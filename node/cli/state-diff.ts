import type { State } from '../../core/install/state.ts';
import { MossError } from '../../core/error.ts';
import { activeNumber } from '../system/installed.ts';
import { requireState } from '../system/states.ts';
import { table } from '../ui/format.ts';
import type { Context } from './context.ts';
import { parseStateNumber } from './state-number.ts';

export async function run({ layout, output }: Context, [from = '', to]: string[]): Promise<void> {
  const target = to === undefined ? activeNumber(layout) : parseStateNumber(to);
  if (target === undefined) throw new MossError('not-found', 'no state is active', { hint: 'Name two states: see `moss state list`.' });
  const [before, after] = [requireState(layout, parseStateNumber(from)), requireState(layout, target)];
  const { added, removed, changed } = compareStates(before, after);
  if (added.length + removed.length + changed.length === 0) output.note('They hold the same packages.');
  const { green, red, yellow } = output.style;
  output.result('state-diff', { from: before.number, to: after.number, added, removed, changed }, () =>
    table([
      ...added.map(({ name, version }) => [green('+'), name, version]),
      ...removed.map(({ name, version }) => [red('-'), name, version]),
      ...changed.map((each) => [yellow('~'), each.name, `${each.from} → ${each.to}`]),
    ]),
  );
}

interface Named {
  name: string;
  version: string;
}

function compareStates(before: State, after: State): { added: Named[]; removed: Named[]; changed: { name: string; from: string; to: string }[] } {
  const old = new Map(before.packages.map((each) => [each.name, each]));
  const now = new Map(after.packages.map((each) => [each.name, each]));
  const named = ({ name, version }: Named): Named => ({ name, version });
  return {
    added: after.packages.filter(({ name }) => !old.has(name)).map((each) => named(each)),
    removed: before.packages.filter(({ name }) => !now.has(name)).map((each) => named(each)),
    changed: after.packages.flatMap(({ name, version, manifest }) => {
      const there = old.get(name);
      return there === undefined || there.manifest.equals(manifest) ? [] : [{ name, from: there.version, to: version }];
    }),
  };
}
