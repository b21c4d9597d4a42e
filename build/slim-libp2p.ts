/**
 * What a tab does not need of libp2p is left out of the engine: keys that moss has not, lines for a debugger, and a third
 * way to read each protobuf message that nobody takes. And over WebRTC it sends with half the messages and no garbage, and
 * dials without losing a race.
 *
 * Peers of moss have Ed25519 keys. RSA, ECDSA and secp256k1 come with every import of `@libp2p/crypto/keys`, and are a
 * tenth of the engine; a peer with one of these is refused, as one with a key that cannot be read is.
 */
import type { Plugin } from 'vite';

const OTHER_KEYS = /\/@libp2p\/crypto\/dist\/src\/keys\/(rsa|ecdsa|secp256k1)\/[^/]+\.js$/;
const ERRORS = /\/core\/error\.ts$/;
const LOGGER = /\/@libp2p\/logger\/dist\/src\/index\.js$/;
/** Modules that are replaced whole, by what a tab needs of them. */
const REPLACED: readonly [RegExp, string][] = [
  // DNS over HTTPS, at two public resolvers: a tab asks nobody which repository it holds. The browser resolves names.
  [/\/@multiformats\/dns\/dist\/src\/index\.js$/, `export const dns = () => ({ query: async () => { throw new Error('a tab looks up no DNS records'); } }); export const RecordType = { A: 1, CNAME: 5, TXT: 16, AAAA: 28 }; export const MAX_RECURSIVE_DEPTH = 32;`],
  // The connection manager is set up to redial nobody (\`reconnectRetries: 0\`).
  [/\/p-retry\/index\.js$/, `export default (attempt) => Promise.resolve().then(() => attempt(1)); export class AbortError extends Error {}`],
  // Networks that are private (RFC 1918, 3927, 4193, 4291, 6598), without a library of ranges.
  [
    /\/@libp2p\/utils\/dist\/src\/private-ip\.js$/,
    String.raw`const RANGES = /^(?:0\.|10\.|127\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|192\.168\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|::1?$|fe[89ab][0-9a-f]:|f[cd][0-9a-f]{2}:)/i;
    export const isPrivateIp = (ip) => RANGES.test(ip.replace(/^::ffff:/i, ''));`,
  ],
  // Locks of the peer store, which are of one page: readers wait for one another as well, which costs nothing in memory.
  [
    /\/mortice\/dist\/src\/index\.js$/,
    `export default () => {
      let last = Promise.resolve();
      const lock = async ({ signal } = {}) => {
        const before = last;
        const mine = Promise.withResolvers();
        last = mine.promise;
        await before;
        if (signal?.aborted) mine.resolve();
        signal?.throwIfAborted();
        return mine.resolve;
      };
      return { readLock: lock, writeLock: lock, finalize() {} };
    };`,
  ],
  // All that is asked of it: whether an address is a public one, in 2000::/3.
  [
    /\/@chainsafe\/netmask\/dist\/src\/index\.js$/,
    `export const cidrContains = (range, ip) => range === '2000::/3' && /^[23][0-9a-f]{3}:/i.test(ip);
    export class IpNet { constructor() { throw new Error('a tab has no lists of networks'); } }`,
  ],
  // Browsers know what an address is: the host of a URL is one in brackets, or four numbers as they were written.
  [
    /\/@chainsafe\/is-ip\/lib\/is-ip\.js$/,
    `const isHost = (host) => { try { return new URL('http://' + host + '/').hostname.length > 0; } catch { return false; } };
    export const isIPv4 = (ip) => /^(?:\\d{1,3}\\.){3}\\d{1,3}$/.test(ip) && isHost(ip);
    export const isIPv6 = (ip) => /^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(ip) && isHost('[' + ip + ']');
    export const isIP = (ip) => isIPv4(ip) || isIPv6(ip);
    export const ipVersion = (ip) => (isIPv4(ip) ? 4 : isIPv6(ip) ? 6 : undefined);`,
  ],
  // Ports that a router or a name server leads to this peer: a tab has none.
  [
    /\/libp2p\/dist\/src\/address-manager\/(?:dns|ip)-mappings\.js$/,
    `class None { has() { return false; } add() {} remove() { return false; } getAll() { return []; } confirm() { return false; } unconfirm() { return false; } }
    export { None as DNSMappings, None as IPMappings };`,
  ],
  // Who was met already: for the few peers of a tab, a set does. It begins anew before it is large.
  [
    /\/@libp2p\/utils\/dist\/src\/filters\/scalable-cuckoo-filter\.js$/,
    `const MOST = 4096;
    export class ScalableCuckooFilter {
      items = new Set();
      add(item) { if (this.items.size >= MOST) this.items.clear(); this.items.add(String(item)); return true; }
      has(item) { return this.items.has(String(item)); }
      remove(item) { return this.items.delete(String(item)); }
    }
    export const createScalableCuckooFilter = () => new ScalableCuckooFilter();`,
  ],
  // The root of a file of more than one block: a tab has frames, and puts no files together.
  [/\/@ipld\/dag-pb\/src\/index\.js$/, `export const encode = () => { throw new Error('a tab puts no files together'); };`],
  // Names in emoji, which no address has.
  [/\/multiformats\/dist\/src\/bases\/base256emoji\.js$/, `export {};`],
];
const SENT = /this\._sendMessage\(lengthPrefixed\.encode\.single\(Message\.encode\(\{\s*message: data\.subarray\(\)\s*\}\)\)\);/;
const FRAMED = `
  import { encode as putVarint, encodingLength } from 'uint8-varint';
  const FRAME = new Uint8Array(MAX_MESSAGE_SIZE);
  function framed(data) {
    const field = 1 + encodingLength(data.byteLength) + data.byteLength;
    let at = encodingLength(field);
    const frame = at + field <= FRAME.length ? FRAME.subarray(0, at + field) : new Uint8Array(at + field);
    putVarint(field, frame);
    // protobuf: field 2, which is 'message', with its length.
    frame[at++] = 0x12;
    putVarint(data.byteLength, frame, at);
    at += encodingLength(data.byteLength);
    for (const part of data) {
      frame.set(part, at);
      at += part.byteLength;
    }
    return frame;
  }
`;
const FIRST_CHANNEL = /if \(channel\.readyState !== 'open'\) \{[^]*?await pEvent\(channel, 'close', \{\s*signal\s*\}\);/;
/** Modules of libp2p that do something in another way. */
const CHANGED: readonly [RegExp, (code: string) => string][] = [
  [/\/@libp2p\/webrtc\/dist\/src\/stream\.js$/, sentAtOnce],
  [/\/@libp2p\/webrtc\/dist\/src\/private-to-private\/initiate-connection\.js$/, closedByEither],
];
const LIBP2P = /\/node_modules\/(@libp2p|libp2p|it-[a-z-]+|@multiformats)\/.*\.js$/;

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}

export function slimLibp2p(): Plugin {
  return {
    name: 'moss-slim-libp2p',
    transform(code, id) {
      if (OTHER_KEYS.test(id)) return { code: refusals(code), map: null };
      // What each code means is for `docs/errors.md`; no page shows it.
      if (ERRORS.test(id)) return { code: code.replaceAll(/meaning: (['"])[^]*?\1/g, `meaning: ''`), map: null };
      const replaced = REPLACED.find(([path]) => path.test(id));
      if (replaced !== undefined) return { code: replaced[1], map: null };
      if (LOGGER.test(id)) return { code: SILENCE, map: null };
      if (!LIBP2P.test(id)) return undefined;
      const changed = CHANGED.find(([path]) => path.test(id))?.[1](code) ?? code;
      return { code: slimmed(changed, this.parse(changed)), map: null };
    },
  };
}

/**
 * A message over WebRTC in one send, and from one buffer that is used again and again, since the browser copies what it is
 * given. libp2p makes two sends of it, and 16 KiB of garbage, which a tab that gives at full rate piles up.
 */
function sentAtOnce(code: string): string {
  if (!SENT.test(code)) throw new Error('libp2p sends over WebRTC in another way than this was made for');
  return code.replace(SENT, 'this._sendMessage([framed(data)]);') + FRAMED;
}

/**
 * Who dials by WebRTC opens a channel, waits until it is open, closes it, and waits until it is closed. The other side closes it
 * too, as soon as it is connected, which may be sooner: libp2p then waits for it to open until the dial's time is up, though both are
 * connected (one dial in three between two tabs of a busy machine). A channel that is closed by then is as good.
 */
function closedByEither(code: string): string {
  if (!FIRST_CHANNEL.test(code)) throw new Error('libp2p dials by WebRTC in another way than this was made for');
  return code.replace(
    FIRST_CHANNEL,
    `if (channel.readyState === 'connecting') await pEvent(channel, ['open', 'close'], { signal });
    if (channel.readyState !== 'closed') {
      const closed = pEvent(channel, 'close', { signal });
      channel.close();
      await closed;
    }`,
  );
}

/** The same exports: functions that throw, and values that no key has. */
function refusals(code: string): string {
  const out = [`function unsupported() { throw new Error('peers with this kind of key are not known here'); }`];
  for (const [, kind = '', name = ''] of code.matchAll(/^export (?:async )?(function|const|let|class) (\w+)/gm)) {
    out.push(kind === 'function' ? `export { unsupported as ${name} };` : kind === 'class' ? `export class ${name} { constructor() { unsupported(); } }` : `export const ${name} = -1;`);
  }
  for (const [, names = ''] of code.matchAll(/^export \{([^}]*)\}/gm)) for (const name of names.split(',')) out.push(`export const ${name.trim().split(' as ').at(-1) ?? ''} = -1;`);
  return out.join('\n');
}

/** Loggers that say nothing, and are not on: those calls that remain are parts of expressions. */
const SILENCE = `
  const log = Object.assign(() => {}, { error() {}, trace() {}, enabled: false, newScope: () => log });
  export const defaultLogger = () => ({ forComponent: () => log });
  export const peerLogger = defaultLogger, prefixLogger = defaultLogger;
  export const logger = () => log;
  export const enable = log, disable = log, enabled = () => false;
`;

/**
 * Without statements that only call a logger, such as `this.log.trace(...)`, and without the generators that protons makes
 * for reading a message field by field.
 */
function slimmed(code: string, program: unknown): string {
  const cuts: (Node & { by: string })[] = [];
  walk(program, (node) => {
    if (node.type === 'ExpressionStatement' && callsLogger(code.slice(node.start, node.end))) cuts.push({ ...node, by: ';' });
    if (node.type === 'ExpressionStatement' && /^(?!this\b)[\w$.]+\.stream = stream;?$/.test(code.slice(node.start, node.end))) cuts.push({ ...node, by: ';' });
    if (node.type === 'FunctionExpression' && code.startsWith('function* (reader, length, prefix', node.start)) cuts.push({ ...node, by: 'undefined' });
  });
  let out = code;
  for (const { start, end, by } of cuts.toSorted((a, b) => b.start - a.start)) out = `${out.slice(0, start)}${by}${out.slice(end)}`;
  return out;
}

/** The whole statement is one call: nothing after its last bracket, and nothing awaited or assigned. */
function callsLogger(statement: string): boolean {
  return /^(?:[\w#$]+\??\.)*log(?:\?\.|\.)?(?:trace|error)?(?:\?\.)?\([^]*\);?$/.test(statement);
}

function walk(value: unknown, visit: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const each of value) walk(each, visit);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (isNode(value)) visit(value);
  for (const each of Object.values(value)) walk(each, visit);
}

function isNode(value: object): value is Node {
  return 'type' in value && typeof value.type === 'string' && 'start' in value && typeof value.start === 'number' && 'end' in value && typeof value.end === 'number';
}
