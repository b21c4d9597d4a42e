/** Licences from a copyright file, where it is written for machines (DEP-5, the copyright format 1.0 of Debian). */
import { MossError } from '../../core/error.ts';
import { parseFields } from './control.ts';
import type { Place } from './place.ts';

/** Bytes: longer ones are not read. */
export const MAX_COPYRIGHT = 1024 * 1024;
const MAX_LICENCES = 32;
const MAX_NAME = 80;

const COPYRIGHT_PATH = /^usr\/share\/doc\/[^/]+\/copyright$/;

/** Whether the licences of a package may stand in the file at this path. */
export function isCopyrightPath(path: string): boolean {
  return COPYRIGHT_PATH.test(path);
}

/** Short names of licences, each once, in order of appearance; none where the file is prose. */
export function licencesOf(bytes: Uint8Array, place: Place): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  if (!/^Format(-Specification)?[ \t]*:/i.test(text.trimStart())) return [];
  const licences = new Set<string>();
  try {
    for (const fields of parseFields(text, place)) {
      const [name] = (fields.get('license') ?? '').split('\n');
      if (name === undefined || name === '' || name.length > MAX_NAME) continue;
      licences.add(name.replace(/\s+/g, ' '));
      if (licences.size === MAX_LICENCES) break;
    }
  } catch (error) {
    // Prose after all: it says nothing that a machine can use, and harms nobody.
    if (error instanceof MossError) return [];
    throw error;
  }
  return [...licences];
}
