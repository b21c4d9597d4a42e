/** Why an installed package cannot stay, in words. */
import { type Alternative, formatDependency, parseDependency, parseProvide } from '../dependency.ts';
import { fulfils, PackageSet } from './match.ts';
import type { InstalledPackage, Package, ResolveRequest } from './request.ts';

export class Reasons {
  readonly #asked: ReadonlySet<string>;
  readonly #staying: PackageSet;
  /** By the name that they are against: the conflicts of what stays. */
  readonly #against = new Map<string, { by: Package; relation: Alternative }[]>();

  constructor({ remove = [] }: ResolveRequest, staying: readonly Package[]) {
    this.#asked = new Set(remove);
    this.#staying = new PackageSet(staying);
    for (const by of staying) {
      for (const relation of exclusionsOf(by)) {
        const known = this.#against.get(relation.name);
        if (known === undefined) this.#against.set(relation.name, [{ by, relation }]);
        else known.push({ by, relation });
      }
    }
  }

  /** The reason for a package that is not among those that stay. */
  of(one: InstalledPackage): string {
    if (this.#asked.has(one.name)) return 'you asked for it';
    const names = [one.name, ...one.provides.map((text) => parseProvide(text).name)];
    const enemies = names.flatMap((name) => this.#against.get(name) ?? []).filter(({ by, relation }) => by.name !== one.name && fulfils(one, relation));
    const successor = enemies.find(({ by }) => by.replaces.flatMap((text) => parseDependency(text)).some((relation) => fulfils(one, relation)));
    if (successor !== undefined) return `${successor.by.name} takes its place`;
    const [enemy] = enemies;
    if (enemy !== undefined) return `${enemy.by.name} ${enemy.by.version} conflicts with it`;
    const other = exclusionsOf(one).flatMap((relation) => this.#staying.fulfilling(relation)).find(({ name }) => name !== one.name);
    if (other !== undefined) return `it conflicts with ${other.name} ${other.version}`;
    const lost = one.depends.map((text) => parseDependency(text)).find((dependency) => !dependency.some((alternative) => this.#staying.fulfilling(alternative).length > 0));
    return lost === undefined ? 'no version of it goes with the rest' : `it needs ${formatDependency(lost)}`;
  }
}

function exclusionsOf(one: Package): Alternative[] {
  return [...one.conflicts, ...one.breaks].flatMap((text) => parseDependency(text));
}
