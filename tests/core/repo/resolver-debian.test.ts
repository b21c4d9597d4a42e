/** The resolver on a whole Debian release, judged by an independent checker and by apt. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { encodeIndex, PackageIndex } from '../../../core/repo/index-file.ts';
import { MossError } from '../../../core/error.ts';
import { type InstalledPackage, resolve } from '../../../core/repo/resolver.ts';
import { debianLists, debianPackages, entriesOf, NOTHING_INSTALLED } from './debian.ts';
import { faultsOf, installed, systemAfter } from './universe.ts';

const architectures = ['amd64', 'all'];
const packages = debianPackages();
const skip = packages === '' ? 'apt has no lists on this machine' : false;
const index = new PackageIndex(encodeIndex(entriesOf(packages)));

/** The names that come in from an empty system, or undefined when that cannot be. */
function closureOf(name: string): Set<string> | undefined {
  try {
    const resolution = resolve({ index, architectures, installed: [], install: [{ name }] });
    assert.deepEqual(faultsOf(systemAfter(resolution)), [], name);
    assert.deepEqual([resolution.orphans, resolution.explicit], [[], [name]], name);
    return new Set(resolution.install.map((one) => one.name));
  } catch (error) {
    if (error instanceof MossError && error.code === 'unresolvable') return undefined;
    throw error;
  }
}

test('200 packages from all over the release resolve to systems without fault', { skip }, (context) => {
  const names = Array.from(index.names());
  let solved = 0;
  let largest = 0;
  for (let i = 0; i < 200; i++) {
    const closure = closureOf(names[(i * 317 + 11) % names.length] ?? '');
    solved += closure === undefined ? 0 : 1;
    largest = Math.max(largest, closure?.size ?? 0);
  }
  context.diagnostic(`${solved} of 200 resolve, the largest to ${largest} packages`);
  assert.ok(solved >= 190);
});

const NAMES =
  'git,python3,vim,postgresql,texlive,mariadb-server,samba,octave,bash,jq,ripgrep,nginx,gcc,build-essential,ruby,postfix,qemu-system-x86,apache2,' +
  'openssh-server,systemd,curl,golang,rustc,ghc,r-base,php,tmux,htop,rsync,sqlite3,zsh,nano,cmake,gimp,libreoffice,inkscape';

/** apt takes a second or more for each: `MOSS_APT_NAMES=all` for all of them, or `a,b` for others. */
const asked = process.env['MOSS_APT_NAMES'];
const COMPARED = asked === undefined ? NAMES.split(',').slice(0, 8) : (asked === 'all' ? NAMES : asked).split(',');

/** Has apt write its cache once, so that each question does not. */
const askApt = async (name: string, cache: string): Promise<Set<string> | undefined> => {
  const caches = ['-o', `Dir::Cache=${cache}`, '-o', 'Dir::Cache::pkgcache=pkgcache.bin', '-o', 'Dir::Cache::srcpkgcache=srcpkgcache.bin'];
  const run = promisify(execFile);
  try {
    if (name === '') await run('apt-cache', [...NOTHING_INSTALLED, ...caches, 'gencaches']);
    const { stdout } = await run('apt-get', ['-s', ...NOTHING_INSTALLED, ...caches, 'install', '--no-install-recommends', '-y', name], { maxBuffer: 1 << 24 });
    return new Set(Array.from(stdout.matchAll(/^Inst (\S+)/gm), ([, one = '']) => one));
  } catch {
    return undefined;
  }
};

test('agrees with apt on what can be installed, and on nearly all that comes along', { skip }, async (context) => {
  const cache = mkdtempSync(join(tmpdir(), 'moss-apt-'));
  try {
    await askApt('', cache);
    const differences: string[] = [];
    const compare = async (names: readonly string[]) => {
      for (const name of names) {
        const theirs = await askApt(name, cache);
        const ours = closureOf(name);
        assert.equal(ours !== undefined, theirs !== undefined, `${name} can be installed`);
        if (ours === undefined || theirs === undefined) continue;
        const more = Array.from(ours).filter((one) => !theirs.has(one));
        const less = Array.from(theirs).filter((one) => !ours.has(one));
        if (more.length + less.length > 0) differences.push(`${name}: ${more.map((one) => `+${one}`).join(' ')} ${less.map((one) => `-${one}`).join(' ')}`);
        // Where alternatives are open we take what comes anyway, and apt what is listed first: never much, never more.
        assert.ok(more.length <= 2 && less.length <= Math.max(2, theirs.size / 10), differences.at(-1));
      }
    };
    const half = Math.ceil(COMPARED.length / 2);
    await Promise.all([compare(COMPARED.slice(0, half)), compare(COMPARED.slice(half))]);
    context.diagnostic(`${COMPARED.length} compared; ${differences.length === 0 ? 'no differences' : differences.join('; ')}`);
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});

test('upgrades a desktop to the security updates of its release, and nothing breaks', { skip }, (context) => {
  const lists = debianLists();
  const indexes = lists.map(({ suite, packages: text }) => ({ repository: suite, bytes: encodeIndex(entriesOf(text)) }));
  const [release, ...updates] = indexes;
  if (release === undefined || updates.length === 0) {
    context.skip('apt has only one list');
    return;
  }
  const first = resolve({ index: new PackageIndex([release]), architectures, installed: [], install: [{ name: 'task-gnome-desktop' }], recommends: true });
  const here: InstalledPackage[] = first.install.map((one) => installed(one, first.explicit.includes(one.name)));
  const all = new PackageIndex(indexes);
  const { upgrade, remove, heldBack, ...more } = resolve({ index: all, architectures, installed: here, upgrade: 'all' });
  assert.deepEqual(faultsOf(systemAfter({ upgrade, remove, heldBack, ...more })), []);
  assert.deepEqual([remove, heldBack, more.downgrade, more.orphans], [[], [], [], []]);
  const newer = here.filter(({ name, version }) => all.candidates(name)[0]?.version !== version);
  assert.deepEqual(upgrade.map(({ to }) => to.name), newer.map(({ name }) => name).toSorted());
  context.diagnostic(`${here.length} installed, ${upgrade.length} upgraded`);
  // And away with a part of it.
  const without = resolve({ index: all, architectures, installed: here, remove: ['gnome-shell'] });
  assert.deepEqual(faultsOf(systemAfter(without)), []);
  assert.ok(without.remove.some(({ name }) => name === 'task-gnome-desktop'));
});
