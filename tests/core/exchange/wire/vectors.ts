/** The test vectors of `/moss/exchange/1`, as a program of any language could read them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCid } from '../../../../core/dag/cid.ts';
import type { Message } from '../../../../core/exchange/wire/message.ts';

interface Vectors {
  messages: { name: string; bytes: string; message: unknown }[];
  refused: { name: string; reader: 'server' | 'asker'; bytes: string }[];
}

export const vectors = JSON.parse(readFileSync(join(import.meta.dirname, '../../../vectors/exchange.json'), 'utf8')) as Vectors;

export function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

const BINARY = new Set(['bytes', 'dictionary']);

/** A message as the vectors write it: bytes in hex, CIDs as text. */
export function readable(message: Message): unknown {
  return JSON.parse(JSON.stringify(message, (_, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : isLink(value) ? value['/'] : value)));
}

/** The message that a vector describes. */
export function fromReadable(described: unknown): Message {
  return JSON.parse(JSON.stringify(described), (key, value: unknown) => {
    if (key === 'repositories' && Array.isArray(value)) return value.map((each) => fromHex(String(each)));
    if (typeof value !== 'string') return value;
    if (BINARY.has(key)) return fromHex(value);
    return key === 'cid' || key === 'file' || key === 'base' ? parseCid(value) : value;
  }) as Message;
}

/** How a CID turns itself into JSON. */
function isLink(value: unknown): value is { '/': string } {
  return typeof value === 'object' && value !== null && '/' in value && typeof value['/'] === 'string';
}
