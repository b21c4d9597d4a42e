/** Whether a donor may give now, from values alone: what the volunteer set, what the platform tells, what was given. */
import type { DonorSettings, Hours } from './settings.ts';

/** What the platform tells of the moment. `undefined` is what it does not tell: that never holds a donor back. */
export interface Conditions {
  /** The user asks all sites to save bytes (`navigator.connection.saveData`). */
  readonly saveData?: boolean | undefined;
  /** The line is paid by the byte, or is a mobile one. */
  readonly metered?: boolean | undefined;
  /** Charge, 0 to 1. */
  readonly battery?: { readonly level: number; readonly charging: boolean } | undefined;
  /** Milliseconds since the epoch at which the tab was hidden; `undefined` while it can be seen. */
  readonly hiddenSince?: number | undefined;
  readonly online: boolean;
  /** Whether this tab is the one that gives, of all that are open on the site. */
  readonly elected: boolean;
}

export const BEST_CONDITIONS: Conditions = { online: true, elected: true };

/** What the reason depends on beside conditions and settings. */
export interface Usage {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Minutes since midnight, local time. */
  readonly minute: number;
  /** Bytes that went out this calendar month. */
  readonly month: number;
}

/** Why nothing is given just now. Several may hold: this is the first of them, in the order in which they stand here. */
export type IdleReason = 'other-tab' | 'paused' | 'offline' | 'save-data' | 'metered' | 'battery' | 'hidden' | 'hours' | 'month';

/** The charge of an unplugged battery below which nothing is given. */
export const LEAST_BATTERY = 0.3;

/**
 * Why a donor has to be idle; `undefined` when it may give.
 *
 * @example
 * const settings = readSettings({ repository: 'https://example.org', month: 1000 });
 * assert.equal(idleReason(settings, { online: true, elected: true }, { now: 0, minute: 0, month: 1000 }), 'month');
 */
export function idleReason(settings: DonorSettings, conditions: Conditions, usage: Usage): IdleReason | undefined {
  const { battery, hiddenSince } = conditions;
  if (!conditions.elected) return 'other-tab';
  if (settings.paused) return 'paused';
  if (!conditions.online) return 'offline';
  if (conditions.saveData === true) return 'save-data';
  if (conditions.metered === true) return 'metered';
  if (battery !== undefined && !battery.charging && battery.level < LEAST_BATTERY) return 'battery';
  if (hiddenSince !== undefined && settings.hidden >= 0 && usage.now - hiddenSince >= settings.hidden) return 'hidden';
  if (settings.hours !== undefined && !isWithin(settings.hours, usage.minute)) return 'hours';
  if (settings.month > 0 && usage.month >= settings.month) return 'month';
  return undefined;
}

function isWithin({ from, to }: Hours, minute: number): boolean {
  if (from === to) return true;
  return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}
