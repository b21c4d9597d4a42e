/** `moss donate`: a real one, from which a real `moss install` takes all once the web server is gone. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { makeRepository, temporaryDirectory, writePackage } from '../../e2e/fixture.ts';
import { moss, mossDone } from '../../e2e/moss.ts';
import { Installer, sourcesOf, startMoss, until, type Program } from '../../e2e/installer.ts';

it('fills from the web server, and serves when that is gone; what it holds can be deleted', { timeout: 600_000 }, async () => {
  const { path, remove } = temporaryDirectory('donate');
  const installer = new Installer(join(path, 'root'));
  const env = { XDG_STATE_HOME: join(path, 'state'), XDG_DATA_HOME: join(path, 'data') };
  const programs: Program[] = [];
  try {
    const repository = await makeRepository(path, [writePackage(path, { name: 'pea', small: 40, large: 2_500_000 })]);
    const serve = await startMoss(['serve', repository.directory, '--port', '0'], env);
    programs.push(serve);
    const url = String(serve.said['url']);
    await installer.begin({ url, repository });
    const donor = await startMoss(['donate', url, '--fingerprint', repository.fingerprint, '--rate', '0', '--host', '127.0.0.1', '--yes'], env);
    programs.push(donor);
    await until(async () => donor.errors().includes('"state":"serving"'), () => `serving: ${donor.errors().slice(-2000)}`);
    const peer = JSON.parse(JSON.stringify(serve.said['peer'])).id;
    await installer.meets(String(donor.said['id']));
    await serve.stop();
    await installer.meets(String(donor.said['id']), { without: peer });

    const ran = await installer.install('pea');
    assert.deepEqual(sourcesOf(ran), [donor.said['id']]);
    assert.ok(installer.has('usr/lib/pea/large.bin'));

    await donor.stop();
    assert.ok(existsSync(join(String(donor.said['directory']), 'blocks')));
    await mossDone(['donate', url, '--delete', '--json'], { env });
    assert.equal(existsSync(String(donor.said['directory'])), false);
  } finally {
    await Promise.all([installer.end(), ...programs.map((program) => program.stop())]);
    remove();
  }
});

for (const [words, code] of [
  [['donate', 'ftp://example.org'], 'usage'],
  [['donate', 'http://127.0.0.1:1', '--quota', 'much'], 'usage'],
  [['donate', 'http://127.0.0.1:1', '--hours', '25:00-06:00'], 'usage'],
  [['donate', 'http://127.0.0.1:1'], 'declined'],
] as const) {
  it(`refuses \`moss ${words.join(' ')}\`: ${code}`, async () => {
    const { stdout } = await moss([...words, '--json']);
    assert.equal(JSON.parse(stdout).code, code);
  });
}
