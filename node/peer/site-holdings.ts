/** What a site serves to peers: its blocks as they are, but for those that nobody is told of. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Content, Holdings, Wanted } from '../../core/ports/holdings.ts';
import { readRun } from './read-run.ts';
import type { ServedSite } from './served-site.ts';

export class SiteHoldings implements Holdings {
  readonly frames = true;
  readonly files = false;
  readonly #blocks: string;
  site: ServedSite;

  constructor(directory: string, site: ServedSite) {
    this.#blocks = join(directory, 'blocks');
    this.site = site;
  }

  get repositories(): readonly Uint8Array[] {
    return [this.site.fingerprint];
  }

  find(wanted: Wanted): Content | undefined {
    if (wanted.kind !== 'block') return undefined;
    const name = wanted.cid.toString();
    const path = join(this.#blocks, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || this.site.forbidden.has(name)) return undefined;
    return { size: stat.size, compressible: false, read: (offset, length, options) => readRun(path, offset, length, options?.into) };
  }
}
