/** The process that listens for WebTransport: whatever happens to it, the host goes on. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { MossError } from '../../../core/error.ts';
import { nodeClock } from '../../../node/clock.ts';
import { BY_WEBTRANSPORT, Certificates } from '../../../node/peer/certificates.ts';
import { Gateway } from '../../../node/webtransport/gateway.ts';
import { loadQuiche } from '../../../node/webtransport/quiche.ts';
import { temporaryDirectory } from '../../e2e/fixture.ts';
import { until } from '../../e2e/installer.ts';
import { NO_QUIC } from './no-quic.ts';

/** Asks by a version of QUIC that nobody knows (RFC 9000 section 6): who listens names those that it knows. */
async function answers(port: number): Promise<boolean> {
  const socket = createSocket('udp4');
  const packet = Buffer.concat([Buffer.from([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8]), randomBytes(8), Buffer.from([8]), randomBytes(8), Buffer.alloc(1200)]);
  socket.on('error', () => undefined);
  socket.send(packet, port, '127.0.0.1');
  const answer = await Promise.race([once(socket, 'message'), setTimeout(500, undefined, { ref: false })]);
  socket.close();
  return answer !== undefined;
}

async function start(path: string, warnings: string[]): Promise<Gateway> {
  const certificates = new Certificates(join(path, 'webtransport.json'), BY_WEBTRANSPORT);
  await certificates.renew(nodeClock.now());
  const [certificate] = certificates.current;
  assert.ok(certificate);
  return Gateway.start({ host: '127.0.0.1', port: 0, path: '/', connections: 4, certificate, onSession: () => assert.fail('nobody came'), onWarning: (message) => warnings.push(message), pause: 50 });
}

it('where its library is not installed, that is said with what to do', () => {
  assert.throws(
    () => loadQuiche('plan9-vax'),
    (error) => error instanceof MossError && error.code === 'unsupported' && /@matrixai\/quic-plan9-vax/.test(error.message) && /npm install/.test(error.hint ?? ''),
  );
});

describe('the process for WebTransport', { skip: NO_QUIC, timeout: 600_000 }, () => {
  it('is killed and comes back on the same port', async () => {
    const { path, remove } = temporaryDirectory('gateway');
    const warnings: string[] = [];
    const gateway = await start(path, warnings);
    try {
      const { port, pid } = gateway;
      assert.ok(await answers(port));
      assert.ok(pid);
      process.kill(pid, 'SIGSEGV');
      await until(async () => gateway.pid !== undefined && gateway.pid !== pid && (await answers(port)), 'another process');
      assert.equal(gateway.port, port);
      assert.match(warnings.join(), /SIGSEGV/);
    } finally {
      await gateway.close();
      remove();
    }
    assert.equal(await answers(gateway.port), false);
  });

  it('outlives what anybody sends to its port', async () => {
    const { path, remove } = temporaryDirectory('gateway-noise');
    const warnings: string[] = [];
    const gateway = await start(path, warnings);
    const socket = createSocket('udp4');
    try {
      const { pid, port } = gateway;
      for (let i = 0; i < 2000; i++) {
        const packet = randomBytes(i % 1400);
        // Half of them look like the beginning of a handshake.
        if (i % 2 === 0 && packet.length > 20) Buffer.from([0xc0, 0, 0, 0, 1, 8]).copy(packet);
        socket.send(packet, port, '127.0.0.1');
        if (i % 50 === 0) await setTimeout(1);
      }
      await until(() => answers(port), 'an answer');
      assert.equal(gateway.pid, pid);
      assert.deepEqual(warnings, []);
    } finally {
      socket.close();
      await gateway.close();
      remove();
    }
  });
});
