/** What the manifests and tables of installed packages say of them. */
import type { InstalledPackage } from '../../core/install/state.ts';
import type { PackageFacts } from './database.ts';
import type { PackageStore } from './package-store.ts';

/** How many rows the tables of installed packages have: no table is read for that. */
export async function countRows(store: PackageStore, installed: readonly InstalledPackage[]): Promise<number> {
  let rows = 0;
  for (const { manifest, components } of installed) {
    for (const { name, parts } of (await store.manifest(manifest)).components) if (components.includes(name)) for (const part of parts) rows += part.rows;
  }
  return rows;
}

/** What the database holds of packages, by the text of their manifest's CID. */
export async function factsOf(store: PackageStore, installed: readonly InstalledPackage[]): Promise<Map<string, PackageFacts>> {
  const facts = new Map<string, PackageFacts>();
  for (const each of installed) {
    const chosen = new Set(each.components);
    const { manifest, parts } = await store.load(each.manifest, (component) => chosen.has(component));
    facts.set(each.manifest.toString(), {
      summary: manifest.metadata.summary,
      size: manifest.components.reduce((sum, component) => sum + (chosen.has(component.name) ? component.size : 0), 0),
      entries: parts.flatMap(({ component, table }) => table.entries.map((entry) => ({ component, entry }))),
    });
  }
  return facts;
}
