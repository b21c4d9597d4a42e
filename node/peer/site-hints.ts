/** What `moss.json` of a site says to peers. Nobody signed it: it is worth a try, and no more. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fields } from '../../core/dag/fields.ts';

export interface SiteHints {
  /** Multiaddrs. */
  peers: string[];
  relays: string[];
}

/** Addresses that are heeded, and characters of each. */
const MOST = 32;
const LENGTH = 512;

/** @throws MossError `bad-metadata` for anything but hints */
export function parseSiteHints(bytes: Uint8Array): SiteHints {
  const fields = new Fields(JSON.parse(new TextDecoder().decode(bytes)), 'bad-metadata', 'moss.json');
  const list = (name: string): string[] => (fields.has(name) ? fields.texts(name).filter((text) => text.length <= LENGTH).slice(0, MOST) : []);
  return { peers: list('peers'), relays: list('relays') };
}

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
