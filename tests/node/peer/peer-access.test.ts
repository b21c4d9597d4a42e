import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { loadSettings } from '../../../node/config/settings.ts';
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
