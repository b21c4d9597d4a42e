/** Answers of web servers, byte by byte as a test says: those that are read here, and those that `node:http` reads. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { nodeFetch } from '../../../node/net/fetch.ts';
import { selfSigned } from '../peer/self-signed.ts';

const body = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
const head = (length: number, ...headers: string[]): string => ['HTTP/1.1 200 OK', `Content-Length: ${length}`, ...headers, '', ''].join('\r\n');

/** A server that gives each request, counted from 0, and its connection to `answer`. */
async function serving(answer: (socket: Socket, request: number, path: string) => void | Promise<void>): Promise<{ url: string; connections: () => number; requests: () => number }> {
  let [connections, requests] = [0, 0];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => void answer(socket, requests++, /^GET (\S+) HTTP\/1\.1\r\n/.exec(bytes.toString('latin1'))?.[1] ?? ''));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections, requests: () => requests };
}

async function bodyOf(response: Awaited<ReturnType<typeof nodeFetch>>): Promise<Buffer> {
  const reader = response.body?.getReader();
  const pieces: Uint8Array[] = [];
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) return Buffer.concat(pieces);
    if (value !== undefined) pieces.push(value);
  }
}

const get = async (url: string): Promise<Buffer> => bodyOf(await nodeFetch(url));

test('one connection answers one request after the other', async () => {
  const { url, connections } = await serving((socket, _, path) => void socket.write(Buffer.concat([Buffer.from(head(path.length)), Buffer.from(path)])));
  for (const path of ['/one', '/two?x=%20', '/a/third']) assert.equal((await get(url + path)).toString(), path);
  assert.equal(connections(), 1);
});

test('an answer may come byte by byte, and its end with the next one', async () => {
  const { url } = await serving(async (socket) => {
    for (const byte of Buffer.from(`${head(3, 'X-Some: thing')}abc`)) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  const response = await nodeFetch(url);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('x-SOME'), 'thing');
  assert.equal((await bodyOf(response)).toString(), 'abc');
});

/** Reads so slowly that the connection has time to bring more than is kept, and looks at each byte. @returns how many */
async function readSlowly(response: Awaited<ReturnType<typeof nodeFetch>>): Promise<number> {
  const reader = response.body?.getReader();
  for (let bytes = 0; ; ) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) return bytes;
    for (const [i, byte] of (value ?? []).entries()) if (byte !== body[(bytes + i) % body.length]) assert.fail(`another byte at ${bytes + i}`);
    bytes += value?.length ?? 0;
  }
}

const long = Buffer.concat(Array.from({ length: 10 }, () => body));

test('a body that is read slowly comes whole, and an empty one at once', async () => {
  const { url, connections } = await serving((socket, request) => void socket.write(request === 0 ? Buffer.concat([Buffer.from(head(long.length)), long]) : head(0)));
  assert.equal(await readSlowly(await nodeFetch(url)), long.length);
  assert.equal((await get(url)).length, 0);
  assert.equal(connections(), 1);
});

test('a kept connection that the server closes is replaced', async () => {
  const { url, requests } = await serving((socket, request) => {
    // The second request finds the connection closed without a word.
    if (request === 1) socket.resetAndDestroy();
    else socket.write(`${head(2)}ok`);
  });
  assert.equal((await get(url)).toString(), 'ok');
  assert.equal((await get(url)).toString(), 'ok');
  assert.equal(requests(), 3);
});

test('a new connection that breaks is an error', async () => {
  const { url, requests } = await serving((socket) => void socket.resetAndDestroy());
  await assert.rejects(nodeFetch(url));
  assert.equal(requests(), 1);
});

for (const [name, headers, rest] of [
  ['says that it closes', ['Connection: close'], ''],
  ['sends more than it said', [], 'more'],
] as const) {
  test(`a connection is not used again when the server ${name}`, async () => {
    const { url, connections } = await serving((socket) => void socket.write(`${head(2, ...headers)}ok${rest}`));
    assert.equal((await get(url)).toString(), 'ok');
    assert.equal((await get(url)).toString(), 'ok');
    assert.equal(connections(), 2);
  });
}

test('a body that breaks off is an error', async () => {
  const { url } = await serving((socket) => void socket.end(`${head(5)}ab`));
  const response = await nodeFetch(url);
  await assert.rejects(bodyOf(response));
});

test('whoever gives up ends the connection', async () => {
  const closed = Promise.withResolvers<void>();
  const { url } = await serving((socket) => {
    socket.on('close', () => closed.resolve());
    socket.write(`${head(5)}ab`);
  });
  const controller = new AbortController();
  const response = await nodeFetch(url, { signal: controller.signal });
  const reading = bodyOf(response);
  controller.abort(new Error('enough'));
  await assert.rejects(reading, /enough/);
  await closed.promise;
  await assert.rejects(nodeFetch(url, { signal: controller.signal }), /enough/);
});

test('a body that nobody reads ends the connection', async () => {
  const closed = Promise.withResolvers<void>();
  const { url } = await serving((socket) => {
    socket.on('close', () => closed.resolve());
    socket.write(head(1000));
  });
  await (await nodeFetch(url)).body?.getReader().cancel();
  await closed.promise;
});

for (const [name, answer] of [
  ['in chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  ['until the connection ends', 'HTTP/1.0 200 OK\r\n\r\nok'],
  ['after an early hint', `HTTP/1.1 103 Early Hints\r\n\r\n${head(2)}ok`],
] as const) {
  test(`an answer ${name} is read by node:http`, async () => {
    const { url } = await serving((socket) => void (name.startsWith('until') ? socket.end(answer) : socket.write(answer)));
    for (let i = 0; i < 2; i++) {
      const response = await nodeFetch(url);
      assert.equal(response.status, 200);
      assert.equal((await bodyOf(response)).toString(), 'ok');
    }
  });
}

for (const [name, answer] of [
  ['is not HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ['has a head without an end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}`],
  ['has a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
  ['has two lengths', `${head(2).slice(0, -2)}Content-Length: 3\r\n\r\nok`],
] as const) {
  test(`an answer that ${name} is an error`, async () => {
    const { url } = await serving((socket) => void socket.write(answer));
    await assert.rejects(nodeFetch(url));
  });
}

test('encrypted connections are kept as well, and lead to no other ones', async () => {
  const { key, cert } = selfSigned('IP:127.0.0.1');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), cert.toString()]);
  let connections = 0;
  const server = createTlsServer({ key, cert, keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 }, (request, response) => {
    if (request.url === '/away') response.writeHead(302, { location: `http://127.0.0.1:${port}/`, 'content-length': 0 }).end();
    else response.writeHead(200, { 'content-length': long.length }).end(long);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  server.on('secureConnection', () => void connections++);
  const { port } = server.address() as AddressInfo;
  const { url } = await serving((socket) => void socket.write(`HTTP/1.1 301 Moved\r\nLocation: https://127.0.0.1:${port}/here\r\nContent-Length: 0\r\n\r\n`));
  assert.equal(await readSlowly(await nodeFetch(url)), long.length);
  for (let i = 0; i < 2; i++) assert.ok((await get(url)).equals(long));
  assert.equal(connections, 1);
  await assert.rejects(nodeFetch(`https://127.0.0.1:${port}/away`), /not encrypted/);
  await assert.rejects(nodeFetch(`https://localhost:${port}/`), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});
