/** The bulk carrier: only the peer that a ticket was given to, once, and only with the peer that gave it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import type { Stream } from '../../../core/ports/transport.ts';
import { dialBulk } from '../../../node/peer/bulk-client.ts';
import { BulkServer } from '../../../node/peer/bulk-server.ts';
import { TICKET_SIZE, TicketBook, encodeTicket, ticketKey } from '../../../node/peer/bulk-ticket.ts';
import { scopeOf } from '../../../node/peer/scope.ts';
import { selfSigned } from './self-signed.ts';

const HOST = '127.0.0.1';
const SERVER = 'the server';
const ALICE = { peer: 'alice', scope: 'lan' } as const;

function issue(server: BulkServer, holder: { peer: string; scope: 'lan' | 'swarm' } = ALICE): Uint8Array {
  const ticket = server.issue(holder);
  assert.ok(ticket);
  return ticket;
}

async function readAll(stream: Stream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('the bulk carrier', { timeout: 600_000 }, () => {
  let server: BulkServer;
  const seen: string[] = [];

  before(async () => {
    server = await BulkServer.listen({ id: SERVER, scopeOf, port: 0, connections: 32 });
    server.handle(async (stream, from) => {
      seen.push(from.id);
      const asked = await readAll(stream);
      for (let at = 0; at < asked.length; at += 65_536) await stream.write(asked.subarray(at, at + 65_536));
      await stream.close();
    });
  });
  after(() => server.close());

  test('carries bytes both ways, each direction ending by itself', async () => {
    const stream = await dialBulk({ host: HOST, ticket: issue(server), client: 'alice', server: SERVER });
    const sent = randomBytes(3_000_000);
    await stream.write(sent);
    await stream.close();
    assert.ok((await readAll(stream)).equals(sent));
    assert.equal(seen.at(-1), 'alice');
  });

  test('a ticket counts once', async () => {
    const offer = { host: HOST, ticket: issue(server), client: 'alice', server: SERVER };
    (await dialBulk(offer)).abort();
    await assert.rejects(dialBulk(offer), { code: 'source-failed' });
  });

  test('a ticket of one peer is of no use to another, even one that knows its secret', async () => {
    await assert.rejects(dialBulk({ host: HOST, ticket: issue(server), client: 'mallory', server: SERVER }), { code: 'source-failed' });
  });

  test('a ticket is of no use with another server', async () => {
    await assert.rejects(dialBulk({ host: HOST, ticket: issue(server), client: 'alice', server: 'another' }), { code: 'source-failed' });
  });

  test('a name without the secret is of no use, and spends the ticket', async () => {
    const ticket = issue(server);
    const stolen = Uint8Array.from(ticket);
    stolen.set(randomBytes(32), TICKET_SIZE - 32);
    await assert.rejects(dialBulk({ host: HOST, ticket: stolen, client: 'alice', server: SERVER }), { code: 'source-failed' });
    await assert.rejects(dialBulk({ host: HOST, ticket, client: 'alice', server: SERVER }), { code: 'source-failed' });
  });

  test('a ticket for a peer of another network is of no use from here', async () => {
    const stream = await dialBulk({ host: HOST, ticket: issue(server, { peer: 'alice', scope: 'swarm' }), client: 'alice', server: SERVER });
    const earlier = seen.length;
    await stream.write(Uint8Array.of(1)).catch(() => undefined);
    await stream.close();
    assert.equal(await readAll(stream).then(({ length }) => length, () => 0), 0);
    assert.equal(seen.length, earlier);
  });

  test('a man in the middle cannot answer with a certificate of its own', async () => {
    const { key, cert } = selfSigned();
    const mallory = createTlsServer({ key, cert, minVersion: 'TLSv1.3' }, (socket) => socket.write('hello'));
    mallory.on('tlsClientError', () => undefined);
    const port = await listening(mallory);
    const book = new TicketBook();
    const ticket = book.issue(ALICE, port);
    assert.ok(ticket);
    await assert.rejects(dialBulk({ host: HOST, ticket: encodeTicket(ticket), client: 'alice', server: SERVER }), { code: 'source-failed' });
    mallory.close();
  });

  test('a man in the middle who changes a byte breaks the connection, and no changed byte is read', async () => {
    const flip = createTcpServer({ allowHalfOpen: true }, (down) => {
      const up = connectTcp({ port: server.port, host: HOST, allowHalfOpen: true });
      for (const socket of [up, down]) socket.on('error', () => undefined);
      down.pipe(up);
      let passed = 0;
      up.on('data', (bytes: Buffer) => {
        // The handshake goes through; application data does not.
        if (passed > 2000) bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
        passed += bytes.length;
        down.write(bytes);
      });
      up.on('close', () => down.destroy());
    });
    const port = await listening(flip);
    const ticket = Buffer.from(issue(server));
    ticket.writeUInt16BE(port);
    const stream = await dialBulk({ host: HOST, ticket, client: 'alice', server: SERVER });
    const sent = randomBytes(200_000);
    await stream.write(sent);
    await stream.close();
    let got = 0;
    await assert.rejects(async () => {
      for (let chunk = await stream.read(); chunk !== undefined; chunk = await stream.read()) {
        assert.ok(sent.subarray(got, got + chunk.length).equals(chunk));
        got += chunk.length;
      }
    }, { code: 'source-failed' });
    flip.close();
  });

  test('a port that nobody answers, and tickets that are none, fail alike', async () => {
    const silent = createTcpServer(() => undefined);
    const port = await listening(silent);
    const ticket = Buffer.from(issue(server));
    ticket.writeUInt16BE(port);
    await assert.rejects(dialBulk({ host: HOST, ticket, client: 'alice', server: SERVER }), { code: 'source-failed' });
    silent.close();
    for (const bad of [new Uint8Array(0), new Uint8Array(TICKET_SIZE), randomBytes(TICKET_SIZE + 1)]) {
      await assert.rejects(dialBulk({ host: HOST, ticket: bad, client: 'alice', server: SERVER }), { code: 'source-failed' });
    }
  });

  test('connections without a ticket do not keep those with one out for long', async () => {
    const idle: Socket[] = Array.from({ length: 300 }, () => connectTcp(server.port, HOST).on('error', () => undefined));
    await Promise.all(idle.map((socket) => once(socket, 'connect').catch(() => undefined)));
    await assert.rejects(dialBulk({ host: HOST, ticket: issue(server, { peer: 'bob', scope: 'lan' }), client: 'bob', server: SERVER }), { code: 'source-failed' }, 'they are many indeed');
    for (const socket of idle) socket.destroy();
    let stream: Stream | undefined;
    for (let i = 0; i < 10 && stream === undefined; i++) {
      await setTimeout(20);
      stream = await dialBulk({ host: HOST, ticket: issue(server, { peer: 'carol', scope: 'lan' }), client: 'carol', server: SERVER }).catch(() => undefined);
    }
    assert.ok(stream);
    await stream.close();
    assert.equal((await readAll(stream)).length, 0);
  });
});

test('tickets expire, and nobody can hold many', () => {
  let time = 0;
  const book = new TicketBook(() => time);
  const first = book.issue(ALICE, 1);
  assert.ok(first);
  while (book.issue(ALICE, 1) !== undefined);
  assert.ok(book.issue({ peer: 'bob', scope: 'lan' }, 1), 'another peer has its own share');
  for (let i = 0; i < 2000; i++) book.issue({ peer: `peer ${i}`, scope: 'swarm' }, 1);
  assert.equal(book.issue({ peer: 'carol', scope: 'lan' }, 1), undefined);
  time = 60_000;
  assert.equal(book.redeem(first.name), undefined);
  assert.ok(book.issue({ peer: 'carol', scope: 'lan' }, 1));
});

test('the key of a ticket hangs on both peers', () => {
  const ticket = { port: 1, name: '00'.repeat(16), secret: new Uint8Array(32) };
  const key = (client: string, server: string): string => ticketKey(ticket, { client, server }).toString('hex');
  assert.notEqual(key('a', 'b'), key('b', 'a'));
  assert.notEqual(key('a', 'b'), key('a', 'c'));
  assert.equal(key('a', 'b'), key('a', 'b'));
});

async function listening(server: Server): Promise<number> {
  server.listen(0, HOST);
  await once(server, 'listening');
  // A TCP server that listens has such an address.
  return (server.address() as AddressInfo).port;
}
