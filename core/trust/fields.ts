import { MossError } from '../error.ts';
import { badMetadata } from './bad-metadata.ts';
import { type JsonObject, canonicalJson } from './canonical-json.ts';

/** Readers of JSON fields. Each throws MossError `bad-metadata` and says where. */

export function asObject(value: unknown, where: string): JsonObject {
  if (!isObject(value)) throw bad(where, 'an object');
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own field, so that `constructor` and the like are never found. */
export function field(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export function asText(value: unknown, where: string): string {
  if (typeof value !== 'string') throw bad(where, 'a text');
  return value;
}

export function asInteger(value: unknown, where: string, smallest: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < smallest) throw bad(where, `an integer of at least ${smallest}`);
  return value;
}

export function asBoolean(value: unknown, where: string): boolean {
  if (typeof value !== 'boolean') throw bad(where, 'true or false');
  return value;
}

export function asTexts(value: unknown, where: string): readonly string[] {
  return asList(value, where).map((item, at) => asText(item, `${where}[${at}]`));
}

export function asList(value: unknown, where: string): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(where, 'a list');
  return value;
}

export function asMap<T>(value: unknown, where: string, read: (item: unknown, where: string) => T): ReadonlyMap<string, T> {
  const entries = Object.entries(asObject(value, where));
  return new Map(entries.map(([name, item]) => [name, read(item, `${where}.${name}`)]));
}

/** Milliseconds since the epoch of `YYYY-MM-DDTHH:MM:SSZ`, the only form that TUF section 4.2.3 allows. */
export function asTime(value: unknown, where: string): number {
  const text = asText(value, where);
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time) || formatTime(time) !== text) throw bad(where, 'a time such as 2030-01-31T00:00:00Z');
  return time;
}

/** The form of a time in TUF metadata; fractions of a second are cut off. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

function bad(where: string, what: string): MossError {
  return badMetadata(`${where} must be ${what}`, { data: { where } });
}

/** JSON as it is written to files: indented, so that a person can read what they sign. */
export function formatJson(value: unknown): string {
  canonicalJson(value);
  return `${JSON.stringify(value, undefined, 1)}\n`;
}
