import { MossError } from '../error.ts';
import { canonicalJson, parseJson } from './canonical-json.ts';
import { asInteger, asMap, asObject, asText, field, formatTime } from './fields.ts';
import type { Root, TopRole } from './metadata.ts';

/**
 * The record of what was believed last, and when: it keeps the protection against rollback when a metadata file is
 * damaged, and shows when the clock was turned. It is written only when a refresh has succeeded, so a clock that is
 * wrong for once cannot carry the record past the earliest expiry of what was signed.
 */
export interface LastSeen {
  /** When the last refresh succeeded, by this machine's clock: milliseconds since the epoch. */
  readonly time: number;
  readonly roles: ReadonlyMap<string, SeenRole>;
}

export interface SeenRole {
  readonly version: number;
  /** When this version was believed first: milliseconds since the epoch. */
  readonly since: number;
  /** The keys of the role at that time: versions may start anew when they are replaced (TUF section 5.3.11). */
  readonly keys: string;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** How far back a clock may be set without a word: corrections of a drifting clock, time zones set wrongly. */
export const CLOCK_BACK = DAY;
/** How long a pause is taken for a pause; beyond it an expiry may as well be the clock's fault. */
export const CLOCK_FORWARD = 365 * DAY;

export function keysOf(root: Root, role: TopRole): string {
  return root.roles[role].keyIds.toSorted().join(',');
}

/** The version that was seen, if the role still has the same keys; else 0. */
export function seenVersion(seen: LastSeen | undefined, root: Root, role: TopRole): number {
  const record = seen?.roles.get(role);
  return record !== undefined && record.keys === keysOf(root, role) ? record.version : 0;
}

/** @throws MossError `clock-suspect` when the clock is more than a day behind the last success. */
export function checkClock(seen: LastSeen | undefined, now: number): void {
  if (seen !== undefined && now < seen.time - CLOCK_BACK) {
    throw new MossError('clock-suspect', `This machine's clock says ${formatTime(now)}, and it said ${formatTime(seen.time)} at an earlier refresh.`, {
      hint: 'Set the clock. Behind the true time, expired metadata looks fresh. If the earlier time was the wrong one, accept the new time once.',
      data: { now, seen: seen.time },
    });
  }
}

/** Names the clock as the other possible cause when metadata seems to have expired after a very long time. */
export function expiredOrClock(error: unknown, seen: LastSeen | undefined, now: number): unknown {
  if (!(error instanceof MossError) || error.code !== 'metadata-expired' || seen === undefined || now < seen.time + CLOCK_FORWARD) return error;
  return new MossError('clock-suspect', `${error.message}; but this machine's clock has moved on by more than a year since ${formatTime(seen.time)}.`, {
    hint: `If it is not really ${formatTime(now).slice(0, 10)}, set the clock. If it is, the publisher has signed nothing for long.`,
    cause: error,
    data: { now, seen: seen.time },
  });
}

/** The next record: a version that stays keeps the time at which it was first seen. */
export function nextSeen(seen: LastSeen | undefined, root: Root, versions: Record<TopRole, number>, time: number): LastSeen {
  const roles = Object.entries(versions).map(([role, version]): [string, SeenRole] => {
    const before = seen?.roles.get(role);
    const keys = isTopRole(role) ? keysOf(root, role) : '';
    return [role, { version, since: before?.version === version ? before.since : time, keys }];
  });
  return { time, roles: new Map(roles) };
}

function isTopRole(role: string): role is TopRole {
  return role === 'root' || role === 'timestamp' || role === 'snapshot' || role === 'targets';
}

export function encodeLastSeen({ time, roles }: LastSeen): Uint8Array {
  return canonicalJson({ time, roles: Object.fromEntries(roles) });
}

/** @throws MossError `bad-metadata` */
export function decodeLastSeen(bytes: Uint8Array): LastSeen {
  const record = asObject(parseJson(bytes), 'the record');
  return { time: asInteger(field(record, 'time'), 'time', 0), roles: asMap(field(record, 'roles'), 'roles', readSeenRole) };
}

function readSeenRole(value: unknown, where: string): SeenRole {
  const role = asObject(value, where);
  return {
    version: asInteger(field(role, 'version'), `${where}.version`, 1),
    since: asInteger(field(role, 'since'), `${where}.since`, 0),
    keys: asText(field(role, 'keys'), `${where}.keys`),
  };
}
