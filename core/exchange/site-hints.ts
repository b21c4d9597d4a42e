/** What `moss.json` of a site says to peers. Nobody signed it: it is worth a try, and no more. */
import { decode as decodeJson } from 'multiformats/codecs/json';
import { Fields } from '../dag/fields.ts';

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
  const fields = new Fields(decodeJson(bytes), 'bad-metadata', 'moss.json');
  const list = (name: string): string[] => (fields.has(name) ? fields.texts(name).filter((text) => text.length <= LENGTH).slice(0, MOST) : []);
  return { peers: list('peers'), relays: list('relays') };
}
