/** What a volunteer allows: how much, how fast, when, and for which repository. */
import { MossError } from '../error.ts';

export interface DonorSettings {
  /** URL of the repository's site, without a slash at the end. */
  readonly repository: string;
  /** 64 hex digits of the root keys' fingerprint, where the volunteer was told one; else the site's own is taken. */
  readonly fingerprint?: string | undefined;
  /** Bytes a second that go out, to all peers together; 0 for no limit. Filling keeps to it as well. */
  readonly rate: number;
  /** Bytes a calendar month that go out; 0 for no limit. */
  readonly month: number;
  /** Bytes of blocks that are held, at most. */
  readonly quota: number;
  /** The hours of the day in which to give; at all times, where there are none. */
  readonly hours?: Hours | undefined;
  /** Milliseconds for which a hidden tab goes on; -1 for as long as it is open. */
  readonly hidden: number;
  readonly paused: boolean;
}

/** Minutes since midnight, local time, 0 to 1439. From 22:00 to 6:00 leads over midnight; equal ones are the whole day. */
export interface Hours {
  readonly from: number;
  readonly to: number;
}

export const DEFAULT_SETTINGS: Omit<DonorSettings, 'repository'> = {
  rate: 1_000_000,
  month: 20_000_000_000,
  quota: 500_000_000,
  hidden: -1,
  paused: false,
};

/** Bytes: less than this holds no package. */
export const LEAST_QUOTA = 4 * 1024 * 1024;

/**
 * Settings from what was stored, or written in an attribute. A value of the wrong kind is the default's.
 *
 * @throws MossError `usage` when the repository is no web address
 */
export function readSettings(value: unknown): DonorSettings {
  const fields: Partial<Record<keyof DonorSettings, unknown>> = typeof value === 'object' && value !== null ? value : {};
  const bytes = (name: 'rate' | 'month' | 'quota'): number => count(fields[name], 0) ?? DEFAULT_SETTINGS[name];
  const { fingerprint, paused } = fields;
  return {
    repository: repositoryUrl(fields.repository),
    ...(typeof fingerprint === 'string' && /^[0-9a-f]{64}$/.test(fingerprint) && { fingerprint }),
    rate: bytes('rate'),
    month: bytes('month'),
    quota: Math.max(LEAST_QUOTA, bytes('quota')),
    hours: readHours(fields.hours),
    hidden: count(fields.hidden, -1) ?? DEFAULT_SETTINGS.hidden,
    paused: paused === true,
  };
}

/** @throws MossError `usage` */
export function repositoryUrl(value: unknown): string {
  if (typeof value === 'string' && value.length <= 2048 && /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/.test(value)) return value.replace(/\/+$/, '');
  throw new MossError('usage', 'a repository is given by its web address, http:// or https://, without a query');
}

function readHours(value: unknown): Hours | undefined {
  const fields: Partial<Record<keyof Hours, unknown>> = typeof value === 'object' && value !== null ? value : {};
  const [from, to] = [count(fields.from, 0), count(fields.to, 0)];
  return from !== undefined && to !== undefined && from < 1440 && to < 1440 ? { from, to } : undefined;
}

function count(value: unknown, least: number): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least ? value : undefined;
}
