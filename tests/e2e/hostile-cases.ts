/** Web servers that misbehave, as data: what they do to which files, and what moss must say to it. */
import type { ErrorCode } from '../../core/error.ts';
import { noise } from './fixture.ts';
import type { Behaviour } from './web-server.ts';

export interface HostileCase {
  name: string;
  /** Which files the server misbehaves on. */
  on: 'blocks' | 'timestamp' | 'metadata';
  behave: Behaviour | ((before: number, path: string) => Behaviour | undefined);
  /** How it ends: an error, or well in spite of everything. */
  expect: { code: ErrorCode; exit: 1 | 69 | 75 } | 'success';
}

const noSource = { code: 'no-source', exit: 69 } as const;
const later = { code: 'source-failed', exit: 75 } as const;

const flip = (bytes: Buffer): Buffer => {
  const out = Buffer.from(bytes);
  const middle = out.length >> 1;
  out[middle] = (out[middle] ?? 0) ^ 1;
  return out;
};

/** What a server does to every block of a package. */
const onBlocks: HostileCase[] = [
  ...[404, 410, 403].map((code): HostileCase => ({ name: `HTTP ${code}`, on: 'blocks', behave: { do: 'status', code }, expect: noSource })),
  ...[400, 401, 408, 429, 500, 501, 502, 503, 504].map((code): HostileCase => ({ name: `HTTP ${code}`, on: 'blocks', behave: { do: 'status', code }, expect: later })),
  ...[204, 206, 304].map((code): HostileCase => ({ name: `HTTP ${code}`, on: 'blocks', behave: { do: 'status', code }, expect: later })),
  { name: 'HTTP 503 twice, then the block', on: 'blocks', behave: (before) => (before < 2 ? { do: 'status', code: 503 } : undefined), expect: 'success' },
  { name: 'HTTP 429 once, then the block', on: 'blocks', behave: (before) => (before < 1 ? { do: 'status', code: 429 } : undefined), expect: 'success' },
  { name: 'one byte is wrong', on: 'blocks', behave: { do: 'bytes', change: flip }, expect: noSource },
  { name: 'other bytes of the same length', on: 'blocks', behave: { do: 'bytes', change: (bytes) => noise(bytes.length, 5) }, expect: noSource },
  { name: 'an empty body', on: 'blocks', behave: { do: 'bytes', change: () => Buffer.alloc(0) }, expect: noSource },
  { name: 'a page of HTML with status 200', on: 'blocks', behave: { do: 'bytes', change: () => Buffer.from('<html>Please log in</html>') }, expect: noSource },
  { name: 'one byte too many', on: 'blocks', behave: { do: 'bytes', change: (bytes) => Buffer.concat([bytes, Buffer.from('x')]) }, expect: noSource },
  { name: 'half of the body, as if it were all', on: 'blocks', behave: { do: 'bytes', change: (bytes) => bytes.subarray(0, bytes.length >> 1) }, expect: noSource },
  { name: 'half of the body, then the end', on: 'blocks', behave: { do: 'break-off', after: 30 }, expect: later },
  { name: 'half of the body once, then all of it', on: 'blocks', behave: (before) => (before < 1 ? { do: 'break-off', after: 30 } : undefined), expect: 'success' },
  { name: 'the connection is reset', on: 'blocks', behave: { do: 'reset' }, expect: later },
  { name: 'the connection is reset in the middle', on: 'blocks', behave: { do: 'reset-after', after: 30 }, expect: later },
  { name: 'the connection is reset once', on: 'blocks', behave: (before) => (before < 1 ? { do: 'reset' } : undefined), expect: 'success' },
  { name: 'endless data', on: 'blocks', behave: { do: 'endless' }, expect: noSource },
  { name: 'nothing at all', on: 'blocks', behave: { do: 'stall' }, expect: later },
  { name: 'the head, then nothing', on: 'blocks', behave: { do: 'stall-after', after: 0 }, expect: later },
  { name: 'a part, then nothing', on: 'blocks', behave: { do: 'stall-after', after: 30 }, expect: later },
  { name: 'a byte every half second', on: 'blocks', behave: { do: 'trickle', bytes: 1, every: 500 }, expect: later },
  { name: 'the block in small pieces, but all of it', on: 'blocks', behave: { do: 'trickle', bytes: 40_000, every: 5 }, expect: 'success' },
  { name: 'a redirect to itself', on: 'blocks', behave: { do: 'redirect', to: '?again' }, expect: later },
  { name: 'a redirect to a port where nothing listens', on: 'blocks', behave: { do: 'redirect', to: 'http://127.0.0.1:9/' }, expect: later },
  { name: 'a redirect to a file on this machine', on: 'blocks', behave: { do: 'redirect', to: 'file:///etc/hostname' }, expect: later },
  { name: 'a redirect without an address', on: 'blocks', behave: { do: 'redirect', to: '' }, expect: later },
  { name: 'gzip on the way, rightly declared', on: 'blocks', behave: { do: 'gzip' }, expect: 'success' },
  { name: 'gzip declared, but it is none', on: 'blocks', behave: { do: 'headers', headers: { 'content-encoding': 'gzip' } }, expect: later },
  { name: 'a length of 2^63', on: 'blocks', behave: { do: 'headers', headers: { 'content-length': '9223372036854775808' } }, expect: noSource },
  { name: 'a length of 4 GiB', on: 'blocks', behave: { do: 'headers', headers: { 'content-length': '4294967296' } }, expect: noSource },
  { name: 'not HTTP', on: 'blocks', behave: { do: 'garbage' }, expect: later },
];

/** What a server does to signed metadata while the repository is updated. */
const onMetadata: HostileCase[] = [
  { name: 'HTTP 404 for the timestamp', on: 'timestamp', behave: { do: 'status', code: 404 }, expect: { code: 'metadata-missing', exit: 69 } },
  { name: 'HTTP 500 for all metadata', on: 'metadata', behave: { do: 'status', code: 500 }, expect: later },
  { name: 'nothing at all for all metadata', on: 'metadata', behave: { do: 'stall' }, expect: later },
  { name: 'the connection is reset for all metadata', on: 'metadata', behave: { do: 'reset' }, expect: later },
  { name: 'an endless timestamp', on: 'timestamp', behave: { do: 'endless' }, expect: { code: 'metadata-endless', exit: 1 } },
  { name: 'a timestamp that is no JSON', on: 'timestamp', behave: { do: 'bytes', change: () => Buffer.from('<html>') }, expect: { code: 'bad-metadata', exit: 1 } },
  { name: 'an empty timestamp', on: 'timestamp', behave: { do: 'bytes', change: () => Buffer.alloc(0) }, expect: { code: 'bad-metadata', exit: 1 } },
  {
    name: 'JSON that is deeply nested',
    on: 'timestamp',
    behave: { do: 'bytes', change: () => Buffer.from('['.repeat(8000) + ']'.repeat(8000)) },
    expect: { code: 'bad-metadata', exit: 1 },
  },
  { name: 'half a timestamp', on: 'timestamp', behave: { do: 'break-off', after: 50 }, expect: later },
  { name: 'a timestamp in single bytes', on: 'timestamp', behave: { do: 'trickle', bytes: 1, every: 400 }, expect: later },
];

export const HOSTILE_CASES: readonly HostileCase[] = [...onBlocks, ...onMetadata];
