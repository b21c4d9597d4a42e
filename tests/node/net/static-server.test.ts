import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startStaticServer, type Served, type StaticServer } from '../../../node/net/static-server.ts';
import { MossError } from '../../../core/error.ts';

describe('the static server', { timeout: 600_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'moss-static-'));
  const served: Served[] = [];
  let server: StaticServer;

  before(async () => {
    for (const each of ['metadata', 'blocks', '.hidden']) mkdirSync(join(directory, each));
    writeFileSync(join(directory, 'index.html'), '<title>site</title>');
    writeFileSync(join(directory, 'metadata/timestamp.json'), '{}');
    writeFileSync(join(directory, 'blocks/bafkblock'), '0123456789');
    writeFileSync(join(directory, 'blocks/empty'), '');
    writeFileSync(join(directory, '.hidden/secret'), 'secret');
    server = await startStaticServer({ directory, host: '127.0.0.1', port: 0, onRequest: (request) => served.push(request) });
  });
  after(async () => {
    await server.close(0);
    rmSync(directory, { recursive: true });
  });

  const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(`${server.url}${path}`, init);

  test('blocks never change, metadata may at any time', async () => {
    const block = await get('/blocks/bafkblock');
    assert.equal(await block.text(), '0123456789');
    assert.match(block.headers.get('cache-control') ?? '', /max-age=\d{8},immutable/);
    assert.equal(block.headers.get('content-type'), 'application/octet-stream');
    assert.equal(block.headers.get('access-control-allow-origin'), '*');
    const metadata = await get('/metadata/timestamp.json');
    assert.equal(metadata.headers.get('cache-control'), 'no-cache');
    assert.equal((await get('/metadata/timestamp.json', { headers: { 'if-none-match': metadata.headers.get('etag') ?? '' } })).status, 304);
    assert.match(await (await get('/')).text(), /site/);
  });

  test('what is published later is there at once', async () => {
    assert.equal((await get('/metadata/new.json')).status, 404);
    writeFileSync(join(directory, 'metadata/new.json'), 'new');
    assert.equal(await (await get('/metadata/new.json')).text(), 'new');
  });

  test('a part of a file can be had; ranges of other forms are passed over', async () => {
    for (const [range, status, body] of [
      ['bytes=2-4', 206, '234'],
      ['bytes=7-', 206, '789'],
      ['bytes=8-100', 206, '89'],
      ['bytes=20-30', 416, ''],
      ['bytes=5-3', 200, '0123456789'],
      ['bytes=-3', 200, '0123456789'],
      ['bytes=0-0', 200, '0123456789'],
      ['bytes=0-1,4-5', 200, '0123456789'],
      ['lines=1-2', 200, '0123456789'],
      [`bytes=${'9'.repeat(40)}-`, 200, '0123456789'],
    ] as const) {
      const answer = await get('/blocks/bafkblock', { headers: { range } });
      assert.deepEqual([answer.status, await answer.text()], [status, body], range);
    }
    assert.equal((await get('/blocks/empty', { headers: { range: 'bytes=0-9' } })).status, 416);
  });

  test('nothing outside, nothing hidden, nothing but reading', async () => {
    for (const path of ['/.hidden/secret', '/%2ehidden/secret', '/blocks/%2e%2e/.hidden/secret', '/blocks/..%2f..%2f..%2fetc/passwd', '/%00', '/%', '/blocks', '/nowhere']) {
      assert.equal((await get(path)).status, 404, path);
    }
    for (const line of ['GET /../../etc/passwd HTTP/1.1', 'GET //etc/passwd HTTP/1.1']) assert.match(await raw(`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`), /^HTTP\/1\.1 404/, line);
    assert.equal((await get('/blocks/bafkblock', { method: 'POST' })).status, 405);
    const head = await get('/blocks/bafkblock', { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '10', '']);
  });

  test('requests are told with what went out', async () => {
    served.length = 0;
    await (await get('/blocks/bafkblock', { headers: { 'user-agent': 'a test' } })).text();
    await (await get('/blocks/nowhere')).text();
    for (let tries = 0; served.length < 2 && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(served.toSorted((a, b) => (a.path < b.path ? -1 : 1)).map(({ method, path, status, bytes }) => ({ method, path, status, bytes })), [
      { method: 'GET', path: '/blocks/bafkblock', status: 200, bytes: 10 },
      { method: 'GET', path: '/blocks/nowhere', status: 404, bytes: 10 },
    ]);
    assert.ok(served.some(({ userAgent }) => userAgent === 'a test'));
  });

  test('a port that is taken is told', async () => {
    await assert.rejects(startStaticServer({ directory, host: '127.0.0.1', port: server.port }), (error) => error instanceof MossError && error.code === 'io' && /taken/.test(error.message));
  });

  /** What comes back for bytes that no client would send. */
  function raw(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(text));
      let out = '';
      socket.on('data', (piece) => (out += piece.toString()));
      socket.on('close', () => resolve(out));
      socket.on('error', reject);
    });
  }

  test('pages of moss are there where the site has none of that name, and in nobody\'s frame but one', async () => {
    const pages = mkdtempSync(join(tmpdir(), 'moss-pages-'));
    for (const name of ['index.html', 'donate.html', 'frame.html', 'moss-engine.0123.js']) writeFileSync(join(pages, name), `of moss: ${name}`);
    const both = await startStaticServer({ directory, pages, host: '127.0.0.1', port: 0 });
    try {
      const ask = (path: string): Promise<Response> => fetch(`${both.url}${path}`);
      assert.match(await (await ask('/')).text(), /site/);
      const page = await ask('/donate.html');
      assert.equal(await page.text(), 'of moss: donate.html');
      assert.equal(page.headers.get('content-security-policy'), "frame-ancestors 'none'");
      assert.equal((await ask('/frame.html')).headers.get('content-security-policy'), null);
      assert.match((await ask('/moss-engine.0123.js')).headers.get('cache-control') ?? '', /immutable/);
      assert.equal((await ask('/nothing.html')).status, 404);
    } finally {
      await both.close(0);
      rmSync(pages, { recursive: true });
    }
  });
});
