/** A host that stops while browsers still speak to it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryDirectory } from '../../e2e/fixture.ts';

describe('a host that stops', () => {
  it('ends in good order though a browser has not noticed yet', () => {
    const { path, remove } = temporaryDirectory('stopping-host');
    try {
      const { status, signal, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'stopping-host.ts'), join(path, 'webrtc.json')], { encoding: 'utf8', timeout: 300_000 });
      assert.deepEqual({ status, signal, stdout, stderr }, { status: 0, signal: null, stdout: 'stopped\n', stderr: '' });
    } finally {
      remove();
    }
  });
});
