/** Whether one package fulfils one alternative. */
import { type Alternative, parseProvide, satisfies } from '../dependency.ts';
import type { Package } from './request.ts';

/** By its own name and version. */
export function isNamed(one: Package, alternative: Alternative): boolean {
  const { name, relation, version } = alternative;
  if (one.name !== name || !fitsArchitecture(one, alternative)) return false;
  return relation === undefined || version === undefined || satisfies(one.format, relation, version, one);
}

/** By what it provides in that version; one without a version fulfils no versioned relation (policy 7.5). */
export function offers(one: Package, provided: string | undefined, alternative: Alternative): boolean {
  const { relation, version } = alternative;
  if (!fitsArchitecture(one, alternative)) return false;
  if (relation === undefined || version === undefined) return true;
  return provided !== undefined && satisfies(one.format, relation, version, { version: provided, release: 0 });
}

/** By either. */
export function fulfils(one: Package, alternative: Alternative): boolean {
  if (one.name === alternative.name) return isNamed(one, alternative);
  return one.provides.map((text) => parseProvide(text)).some(({ name, version }) => name === alternative.name && offers(one, version, alternative));
}

/** `any` and `native` say nothing on a system of one architecture (policy 7.1 and the multi-arch specification). */
function fitsArchitecture(one: Package, { qualifier }: Alternative): boolean {
  return qualifier === undefined || qualifier === 'any' || qualifier === 'native' || qualifier === one.architecture || one.architecture === 'all';
}

/** A set of packages that can be on one system together, found by what they fulfil. */
export class PackageSet<P extends Package = Package> {
  readonly #byName = new Map<string, P>();
  readonly #offering = new Map<string, P[]>();

  constructor(packages: Iterable<P>) {
    for (const one of packages) {
      this.#byName.set(one.name, one);
      for (const name of new Set([one.name, ...one.provides.map((text) => parseProvide(text).name)])) {
        const known = this.#offering.get(name);
        if (known === undefined) this.#offering.set(name, [one]);
        else known.push(one);
      }
    }
  }

  get(name: string): P | undefined {
    return this.#byName.get(name);
  }

  values(): Iterable<P> {
    return this.#byName.values();
  }

  fulfilling(alternative: Alternative): P[] {
    return (this.#offering.get(alternative.name) ?? []).filter((one) => fulfils(one, alternative));
  }
}
