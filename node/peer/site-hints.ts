/** The `moss.json` that a peer gives out with the site that it serves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SiteHints } from '../../core/exchange/site-hints.ts';

/** The hints of a site on disk, with the addresses of the peer that serves it before those that stand there. */
export function siteHints(site: string, { peers, relays }: SiteHints): string {
  let written: Record<string, unknown> = { schema: 1 };
  try {
    const value: unknown = JSON.parse(readFileSync(join(site, 'moss.json'), 'utf8'));
    if (typeof value === 'object' && value !== null) written = { ...value };
  } catch {
    // A site need not have any, and a broken file is of no use to anybody.
  }
  const merged = (name: 'peers' | 'relays', own: readonly string[]): unknown[] => [...own, ...(Array.isArray(written[name]) ? written[name] : [])];
  return `${JSON.stringify({ ...written, peers: merged('peers', peers), relays: merged('relays', relays) }, undefined, 2)}\n`;
}
