import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import { parsePath } from '../../core/dag/path.ts';
import { MossError } from '../../core/error.ts';
import type { Database } from '../system/database.ts';
import { activeNumber } from '../system/installed.ts';
import type { Layout } from '../store/layout.ts';
import { table } from '../ui/format.ts';
import type { Context } from './context.ts';
import { askInstalled } from './installed.ts';

interface Owner {
  name: string;
  version: string;
  /** `file`, `symlink` or `directory`. */
  type: string;
}

interface Owned {
  /** From the root of the system. */
  path: string;
  owners: Owner[];
}

export async function run(context: Context, paths: string[]): Promise<void> {
  const { output, layout } = context;
  const answers = (await askInstalled(context, (database, state) => paths.map((path) => findOwners(database, state, layout, path)))) ?? [];
  const missing = paths.filter((_, i) => (answers[i]?.owners.length ?? 0) === 0);
  if (missing.length > 0) {
    throw new MossError('not-found', `no installed package holds ${missing.join(', ')}`, {
      hint: activeNumber(layout) === undefined ? 'Nothing is installed yet.' : 'Give a path as it is inside of the root, such as /usr/bin/git.',
      data: { path: missing[0] },
    });
  }
  const { bold } = output.style;
  output.result('owner', { state: activeNumber(layout) ?? null, paths: answers }, () =>
    table(answers.flatMap(({ path, owners }) => owners.map(({ name, version }) => [bold(name), version, path]))),
  );
}

/** Who holds a path, under whichever of its names: `/bin/sh`, a path below the root's directory, or one by a link. */
function findOwners(database: Database, state: number, layout: Layout, text: string): Owned {
  const inside = insideRoot(layout, text);
  const tried = new Set<string>();
  for (let path = packagePath(inside); path !== undefined && !tried.has(path); path = follow(layout.state(state), path)) {
    tried.add(path);
    const owners = database.owners(state, path);
    if (owners.length > 0) return { path: `/${path}`, owners };
  }
  return { path: inside, owners: [] };
}

/** A path from the root of the system: the root's directory, and the states below it, are taken away. */
function insideRoot({ root, states }: Layout, text: string): string {
  for (const full of [resolve(text), realDirectory(resolve(text))]) {
    for (const base of [root, realDirectory(root)]) {
      const path = relative(base, full);
      if (path === '' || path.startsWith('..') || path.startsWith('/')) continue;
      const inState = /^\.moss\/(?:states\/\d+|current)\/(.+)$/.exec(path)?.[1];
      if (inState !== undefined) return `/${inState}`;
      if (full !== states) return `/${path}`;
    }
  }
  return text.startsWith('/') ? text : `/${text}`;
}

/** With the links in its directories resolved, not itself. */
function realDirectory(path: string): string {
  try {
    return join(realpathSync(dirname(path)), path.slice(dirname(path).length));
  } catch {
    return path;
  }
}

function packagePath(text: string): string | undefined {
  return parsePath(normalize(`/${text}`).replaceAll(/\/+$/g, ''));
}

/** Where a link of a state leads that no package holds, such as the choice of an alternative, or a path through a link. */
function follow(state: string, path: string): string | undefined {
  const names = path.split('/');
  for (let i = 1; i <= names.length; i++) {
    const prefix = names.slice(0, i).join('/');
    if (lstatSync(join(state, prefix), { throwIfNoEntry: false })?.isSymbolicLink() !== true) continue;
    const target = relative('/', resolve('/', dirname(prefix), readlinkSync(join(state, prefix))));
    return packagePath(`/${[target, ...names.slice(i)].join('/')}`);
  }
  return undefined;
}
