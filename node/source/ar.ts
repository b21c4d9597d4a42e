/**
 * The `ar` archive around a `.deb` (deb(5), ar(5)): the global magic, then members of a 60-byte header and their
 * bytes, each padded to an even offset.
 */
import { readAt } from './file-range.ts';
import type { Place } from './place.ts';

export const AR_MAGIC = '!<arch>\n';
const HEADER_SIZE = 60;
/** A `.deb` has three, and a few more are allowed. */
const MAX_MEMBERS = 64;

export interface ArMember {
  name: string;
  /** Bytes from the start of the file. */
  start: number;
  /** Bytes. */
  size: number;
}

/**
 * The members of an archive, in order.
 *
 * @param size bytes of the file
 * @throws MossError `bad-package`
 */
export function arMembers(fd: number, size: number, place: Place): ArMember[] {
  if (readAt(fd, 0, AR_MAGIC.length).toString('latin1') !== AR_MAGIC) throw place.bad('it is no ar archive', { offset: 0 });
  const members: ArMember[] = [];
  for (let at = AR_MAGIC.length; at < size; ) {
    if (members.length === MAX_MEMBERS) throw place.bad(`more than ${MAX_MEMBERS} members`, { offset: at });
    const header = readAt(fd, at, HEADER_SIZE).toString('latin1');
    if (header.length < HEADER_SIZE) throw place.bad('it ends within a member header', { offset: at });
    if (header.slice(58) !== '`\n') throw place.bad('a member header without its end mark', { offset: at });
    const digits = header.slice(48, 58).trimEnd();
    if (!/^[0-9]{1,10}$/.test(digits)) throw place.bad(`a member size that is no number: ${JSON.stringify(digits)}`, { offset: at + 48 });
    const member = { name: memberName(header), start: at + HEADER_SIZE, size: Number(digits) };
    if (member.start + member.size > size) {
      throw place.bad(`member ${JSON.stringify(member.name)} says ${member.size} bytes, and only ${size - member.start} follow`, { offset: at });
    }
    members.push(member);
    at = member.start + member.size + (member.size % 2);
  }
  return members;
}

/** System V writers end a name with a slash. */
function memberName(header: string): string {
  return header.slice(0, 16).trimEnd().replace(/\/$/, '');
}
