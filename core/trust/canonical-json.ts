import { badMetadata } from './bad-metadata.ts';
import { decodeUtf8, encodeUtf8 } from './text.ts';

/** JSON as canonical JSON allows it: no fractions, no exponents that are not whole numbers. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** Deeper input than this is refused, so that no input can exhaust the stack. */
const MAX_DEPTH = 64;

/**
 * The bytes that signatures are made over: OLPC canonical JSON (TUF section 4.1): no white space, names in the order
 * of their code points, and in texts only the quote and the backslash are escaped.
 *
 * @throws MossError `bad-metadata` for what canonical JSON cannot say: fractions, unsafe integers, half characters
 * @example
 * new TextDecoder().decode(canonicalJson({ b: [1, true], a: 'x"y' })); // '{"a":"x\\"y","b":[1,true]}'
 */
export function canonicalJson(value: unknown): Uint8Array {
  return encodeUtf8(write(value, 0));
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw badMetadata(`nested deeper than ${MAX_DEPTH} levels`);
  if (typeof value === 'string') return writeText(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw badMetadata(`not an integer that canonical JSON can hold: ${value}`);
    return String(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value).toSorted(([a], [b]) => byCodePoint(a, b));
    return `{${members.map(([name, item]) => `${writeText(name)}:${write(item, depth + 1)}`).join(',')}}`;
  }
  throw badMetadata(`not a JSON value: ${typeof value}`);
}

function writeText(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Order by code point; the language's own order is by UTF-16 unit, which differs above U+FFFF. */
function byCodePoint(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let at = 0; at < left.length && at < right.length; at += 1) {
    const difference = (left[at]?.codePointAt(0) ?? 0) - (right[at]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** @throws MossError `bad-metadata` when the bytes are not JSON in UTF-8. */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw badMetadata('not JSON', { cause });
  }
}
