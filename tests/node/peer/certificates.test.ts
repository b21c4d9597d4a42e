/** Certificates that browsers know by their hashes: kept, renewed in time, and shown beside each other. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeClock } from '../../../node/clock.ts';
import { BY_WEBRTC, BY_WEBTRANSPORT, Certificates } from '../../../node/peer/certificates.ts';
import { Host } from '../../../node/peer/host.ts';
import { passingIdentity } from '../../../node/peer/identity.ts';
import { temporaryDirectory } from '../../e2e/fixture.ts';

const ROTATION = BY_WEBRTC.rotation;

function hashes(certificates: Certificates): string[] {
  return certificates.current.map(({ certhash }) => certhash);
}

function open(certificates: Certificates): Promise<Host> {
  return Host.start({ key: passingIdentity(), scope: 'swarm', listen: { host: '127.0.0.1', port: 0, bulkPort: 0 }, webRtc: certificates, connections: 8 });
}

describe('certificates', { timeout: 600_000 }, () => {
  const { path, remove } = temporaryDirectory('certificates');
  const file = join(path, 'webrtc.json');
  const start = Date.UTC(2026, 0, 1);

  it('stay over a restart, and only this user reads them', async () => {
    const first = new Certificates(file);
    assert.equal(await first.renew(start), true);
    const again = new Certificates(file);
    assert.equal(await again.renew(start + ROTATION - 1), false);
    assert.deepEqual(hashes(again), hashes(first));
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('have a successor long before they end, and are shown beside it; then they go', async () => {
    const certificates = new Certificates(file);
    const [old] = hashes(certificates);
    await certificates.renew(start + ROTATION);
    const [fresh, kept, ...others] = hashes(certificates);
    assert.notEqual(fresh, old);
    assert.deepEqual([kept, others], [old, []]);
    await certificates.renew(start + 2 * ROTATION);
    assert.equal(hashes(certificates)[1], fresh);
    assert.equal(hashes(certificates).includes(old ?? ''), false);
  });

  it('for WebTransport last for less than browsers allow, and those that ended are still known', async () => {
    const certificates = new Certificates(join(path, 'webtransport.json'), BY_WEBTRANSPORT);
    const known: string[] = [];
    for (let period = 0; period < 3; period++) {
      await certificates.renew(start + period * BY_WEBTRANSPORT.rotation);
      const { validFromDate, validToDate } = new X509Certificate(certificates.current[0]?.pem ?? '');
      assert.ok(validToDate.getTime() - validFromDate.getTime() <= 14 * 24 * 3600_000);
      known.push(certificates.current[0]?.certhash ?? '');
    }
    assert.deepEqual(hashes(certificates), known.slice(1).toReversed());
    assert.deepEqual(certificates.hashes, known.toReversed());
  });

  it('are shown on another port where somebody has theirs', async () => {
    const certificates = new Certificates(join(path, 'taken.json'));
    await certificates.renew(nodeClock.now());
    const taken = createSocket('udp4').bind(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address();
    const [certhash] = hashes(certificates);
    certificates.placed(certhash ?? '', port);
    const host = await open(certificates);
    const address = host.addresses.map(String).find((each) => each.includes('/webrtc-direct/'));
    await host.stop();
    taken.close();
    assert.match(address ?? '', new RegExp(`/udp/${certificates.current[0]?.port}/webrtc-direct/certhash/${certhash}/`));
    assert.notEqual(certificates.current[0]?.port, port);
  });

  it('both lead to the host that announces them', async () => {
    const now = nodeClock.now();
    const certificates = new Certificates(join(path, 'two.json'));
    await certificates.renew(now - ROTATION);
    await certificates.renew(now);
    const host = await open(certificates);
    const addresses = host.addresses.filter((address) => address.toString().includes('/webrtc-direct/'));
    assert.deepEqual(new Set(addresses.map((address) => /certhash\/([^/]+)/.exec(address.toString())?.[1])), new Set(hashes(certificates)));
    try {
      for (const [i, address] of addresses.entries()) {
        const own = new Certificates(join(path, `guest-${i}.json`));
        await own.renew(now);
        const guest = await open(own);
        try {
          await guest.dial([address]);
          assert.equal(guest.isConnected(host.id), true);
        } finally {
          await guest.stop();
        }
      }
    } finally {
      await host.stop();
      remove();
    }
  });
});
