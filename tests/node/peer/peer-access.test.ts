import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { loadSettings } from '../../../node/config/settings.ts';
import { controlSocket } from '../../../node/peer/control.ts';
import { PeerAccess } from '../../../node/peer/peer-access.ts';
import { Layout } from '../../../node/store/layout.ts';

/** Timers that keep this process. */
function timers(): number {
  return process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
}

it('a search for peers keeps nobody once it is closed', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'moss-access-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const before = timers();
  const access = new PeerAccess({ layout: new Layout(root), settings: { ...(await loadSettings([])), share: 'lan', 'peer-host': '127.0.0.1' }, onEvent: () => undefined });
  void access.searched();
  while (timers() === before) await setImmediate();
  await access.close();
  assert.equal(timers(), before);
});

it('a peer that takes no stream keeps nobody once the search is closed', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'moss-access-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const layout = new Layout(root);
  mkdirSync(layout.peer, { recursive: true });
  // A daemon that knows one peer, which says nothing: the question about it stays without an answer.
  const asked = Promise.withResolvers<void>();
  const daemon = createServer({ allowHalfOpen: true }, (socket) => {
    socket.once('data', (line) => {
      const request: unknown = JSON.parse(line.toString());
      const what = typeof request === 'object' && request !== null && 'do' in request ? request.do : undefined;
      if (what === 'ticket') asked.resolve();
      else socket.end(`${JSON.stringify({ ok: true, value: what === 'peers' ? [{ id: 'silent', scope: 'swarm', transport: 'webrtc' }] : {} })}\n`);
    });
  });
  daemon.listen(controlSocket(layout));
  await once(daemon, 'listening');
  t.after(() => daemon.close());
  const settings = await loadSettings([]);
  const before = timers();
  const access = new PeerAccess({ layout, settings: { ...settings, share: 'swarm' }, onEvent: () => undefined });
  const leave = access.join([], () => undefined);
  await asked.promise;
  leave();
  await access.close();
  await setImmediate();
  assert.equal(timers(), before);
});
