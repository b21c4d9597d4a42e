/** What a `package.json` says, for directories (such as those under `node_modules`) that have no `moss.toml`. */
import type { Described } from './moss-toml.ts';

export const PACKAGE_JSON = 'package.json';

/**
 * Name, version and the like; nothing for a file that is no such JSON. Dependencies are left out: their version
 * ranges have another order than those of packages here.
 *
 * A scoped name `@scope/name` becomes `scope+name`, which no other npm package can have, since `+` may not stand in
 * their names.
 */
export function parsePackageJson(text: string): Described {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return {};
  }
  if (typeof value !== 'object' || value === null) return {};
  const field = (key: string) => {
    const found: unknown = Object.entries(value).find(([name]) => name === key)?.[1];
    return typeof found === 'string' && found !== '' ? found : undefined;
  };
  const [name, version, summary, homepage, licence] = ['name', 'version', 'description', 'homepage', 'license'].map(field);
  return {
    ...(name === undefined ? {} : { name: plainName(name), prefix: `usr/lib/node_modules/${name}` }),
    ...(version === undefined ? {} : { version }),
    ...(summary === undefined ? {} : { summary: summary.replace(/\s+/g, ' ').slice(0, 400) }),
    ...(homepage === undefined ? {} : { homepage }),
    ...(licence === undefined ? {} : { licences: [licence] }),
  };
}

function plainName(name: string): string {
  return name.replace(/^@([^/]+)\//, '$1+');
}
