import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MossError } from '../../../core/error.ts';
import { parseDependency } from '../../../core/repo/dependency.ts';
import type { IndexEntry } from '../../../core/repo/index-file.ts';
import { type InstalledPackage, type Package, resolve, type ResolveRequest } from '../../../core/repo/resolver.ts';
import { compareVersions } from '../../../core/repo/version.ts';
import { entry, faultsOf, indexOf, installed, labels, meets, systemAfter } from './universe.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
const name = fc.constantFrom(...NAMES, 'v', 'w');
const version = fc.constantFrom('1', '2', '3');
const alternative = fc.oneof(
  { weight: 3, arbitrary: name },
  { weight: 2, arbitrary: fc.tuple(name, fc.constantFrom('<<', '<=', '=', '>=', '>>'), version).map(([of, relation, than]) => `${of} (${relation} ${than})`) },
);
const dependency = fc.array(alternative, { minLength: 1, maxLength: 2 }).map((some) => some.join(' | '));
const provide = fc.oneof(fc.constantFrom('v', 'w'), fc.tuple(fc.constantFrom('v', 'w', 'a'), version).map(([of, is]) => `${of} (= ${is})`));
const relations = {
  depends: fc.array(dependency, { maxLength: 2 }),
  provides: fc.array(provide, { maxLength: 1 }),
  conflicts: fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: fc.array(alternative, { maxLength: 1 }) }),
  breaks: fc.oneof({ weight: 4, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: fc.array(alternative, { maxLength: 1 }) }),
};
const someEntry: fc.Arbitrary<IndexEntry> = fc
  .record({ of: fc.constantFrom(...NAMES), is: version, ...relations })
  .map(({ of, is, ...more }) => entry(`${of} ${is}`, more));
const key = ({ name: of, version: is }: IndexEntry) => `${of} ${is}`;
const repository = fc.uniqueArray(someEntry, { minLength: 3, maxLength: 9, selector: key });

/** All subsets with at most one version of each name. */
function* systems(packages: readonly Package[]): Iterable<Package[]> {
  const groups = Array.from(Map.groupBy(packages, (one) => one.name).values());
  function* extend(chosen: Package[], at: number): Iterable<Package[]> {
    const group = groups[at];
    if (group === undefined) {
      yield chosen;
      return;
    }
    yield* extend(chosen, at + 1);
    for (const one of group) yield* extend([...chosen, one], at + 1);
  }
  yield* extend([], 0);
}

/** The resolution, or undefined when there is none; anything but an explanation is an error. */
function tryResolve(request: ResolveRequest): Package[] | undefined {
  try {
    return systemAfter(resolve(request));
  } catch (error) {
    assert.ok(error instanceof MossError && error.code === 'unresolvable', String(error instanceof Error ? error.stack : error));
    assert.notEqual(error.message, '');
    return undefined;
  }
}

/** Asked for by the user, a name means the package of that name where there is one. */
const has = (system: readonly Package[], wanted: string, entries: readonly Package[]) =>
  parseDependency(wanted).every((one) => system.some((other) => meets(other, one) && (other.name === one.name || !entries.some((real) => real.name === one.name))));

test('finds a solution exactly where trying everything finds one', () => {
  let solved = 0;
  let failed = 0;
  fc.assert(fc.property(repository, fc.array(alternative, { minLength: 1, maxLength: 2 }), (entries, wanted) => {
    const request = { index: indexOf(...entries), architectures: ['amd64', 'all'], installed: [], install: wanted.flatMap((text) => parseDependency(text)) };
    const possible = Array.from(systems(entries)).some((system) => wanted.every((one) => has(system, one, entries)) && faultsOf(system).length === 0);
    const found = tryResolve(request);
    assert.equal(found !== undefined, possible);
    if (found === undefined) {
      failed++;
    } else {
      solved++;
      assert.deepEqual(faultsOf(found), []);
      assert.ok(wanted.every((one) => has(found, one, entries)));
    }
  }), { numRuns: 3000 });
  assert.ok(solved > 100 && failed > 100, `${solved} solved, ${failed} failed`);
});

/** A repository, and a well system of it or of older packages. */
const situation = fc.tuple(repository, fc.array(fc.nat(), { minLength: 1, maxLength: 4 }), fc.array(fc.boolean(), { minLength: 6, maxLength: 6 })).map(([entries, picks, flags]) => {
  const well = Array.from(systems(entries)).filter((system) => faultsOf(system).length === 0);
  const system = well.toSorted((a, b) => b.length - a.length)[(picks[0] ?? 0) % Math.ceil(well.length / 2)] ?? [];
  const here: InstalledPackage[] = entries.filter((one) => system.includes(one)).map((one, i) => installed(one, flags[i] === true));
  return { entries: entries.filter((_, i) => picks[1] === undefined || i !== picks[1] % 12), here };
});

const older = (a: Package, b: Package) => compareVersions('deb', a, b) < 0;

test('with packages installed: never loses what the user installed, and finds an answer where there is one', () => {
  let solved = 0;
  let failed = 0;
  fc.assert(fc.property(situation, fc.array(fc.constantFrom(...NAMES), { maxLength: 2 }), fc.boolean(), ({ entries, here }, wanted, upgrade) => {
    const all = [...here, ...entries.filter((one) => !here.some((other) => key(one) === `${other.name} ${other.version}`))];
    const explicit = here.filter((one) => one.explicit).map((one) => one.name);
    const isFine = (system: readonly Package[]) =>
      faultsOf(system).length === 0 &&
      [...wanted, ...explicit].every((one) => system.some((other) => other.name === one)) &&
      system.every((one) => !here.some((other) => other.name === one.name && older(one, other)));
    const possible = Array.from(systems(all)).some((system) => isFine(system));
    const request = { index: indexOf(...entries), architectures: ['amd64'], installed: here, install: wanted.map((one) => ({ name: one })), ...(upgrade ? { upgrade: 'all' as const } : {}) };
    const isReal = wanted.every((one) => all.some((other) => other.name === one));
    if (!isReal) return;
    const found = tryResolve(request);
    assert.equal(found !== undefined, possible);
    if (found === undefined) {
      failed++;
    } else {
      solved++;
      assert.ok(isFine(found), `${labels(found)}: ${faultsOf(found)}`);
    }
  }), { numRuns: 3000 });
  assert.ok(solved > 100 && failed > 20, `${solved} solved, ${failed} failed`);
});

test('removes what is asked, and of the rest only what cannot stay', () => {
  fc.assert(fc.property(situation, fc.nat(), ({ entries, here }, pick) => {
    const gone = here[pick % Math.max(1, here.length)];
    if (gone === undefined) return;
    const resolution = resolve({ index: indexOf(...entries), architectures: ['amd64'], installed: here, remove: [gone.name] });
    const left = systemAfter(resolution);
    assert.deepEqual(faultsOf(left), []);
    assert.ok(!left.some(({ name: of }) => of === gone.name));
    assert.equal(resolution.remove.find(({ name: of }) => of === gone.name)?.reason, 'you asked for it');
    // Nothing that was removed could be put back as it was.
    for (const { package: one, name: of } of resolution.remove) {
      if (of !== gone.name) assert.notDeepEqual(faultsOf([...left, one]), [], `${of} could have stayed`);
    }
  }), { numRuns: 2000 });
});

test('what nobody needs can go: the rest is well, and an installation brings none of it', () => {
  fc.assert(fc.property(situation, fc.constantFrom(...NAMES), fc.boolean(), fc.boolean(), ({ entries, here }, wanted, upgrade, recommends) => {
    const request = { index: indexOf(...entries), architectures: ['amd64'], installed: here, install: [{ name: wanted }], recommends, ...(upgrade ? { upgrade: 'all' as const } : {}) };
    if (tryResolve(request) === undefined) return;
    const resolution = resolve(request);
    const orphans = new Set(resolution.orphans);
    assert.deepEqual(faultsOf(systemAfter(resolution).filter(({ name: of }) => !orphans.has(of))), []);
    // What stays although nobody needs it is served too: it may need something new.
    const stays = [...resolution.keep, ...resolution.upgrade.map(({ to }) => to), ...resolution.downgrade.map(({ to }) => to)];
    if (!stays.some(({ name: of }) => orphans.has(of))) assert.ok(resolution.install.every(({ name: of }) => !orphans.has(of)));
    assert.ok(resolution.explicit.every((of) => !orphans.has(of)));
    const count = resolution.keep.length + resolution.upgrade.length + resolution.downgrade.length + resolution.remove.length;
    assert.equal(count, here.length);
  }), { numRuns: 2000 });
});

test('the same request has the same answer', () => {
  fc.assert(fc.property(situation, fc.constantFrom(...NAMES), ({ entries, here }, wanted) => {
    const once = () => {
      try {
        return resolve({ index: indexOf(...entries), architectures: ['amd64'], installed: here, install: [{ name: wanted }], recommends: true });
      } catch (error) {
        return error instanceof MossError ? error.message : error;
      }
    };
    assert.deepEqual(once(), once());
  }), { numRuns: 300 });
});

test('a minimal explanation is short', () => {
  fc.assert(fc.property(repository, fc.constantFrom(...NAMES), (entries, wanted) => {
    try {
      resolve({ index: indexOf(...entries), architectures: ['amd64'], installed: [], install: [{ name: wanted }] });
    } catch (error) {
      assert.ok(error instanceof MossError && error.code === 'unresolvable');
      assert.ok(error.message.split('\n').length <= 12, error.message);
    }
  }), { numRuns: 1000 });
});
