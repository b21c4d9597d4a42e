import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after as afterAll, describe, it } from 'node:test';
import { decodeManifest } from '../../../core/dag/manifest.ts';
import { PackageIndex } from '../../../core/repo/index-file.ts';
import { ReleaseHistory } from '../../fixtures/release-history.ts';
import { translations } from '../../fixtures/translations.ts';

describe('the dictionary of a package', () => {
  let history: ReleaseHistory;
  afterAll(() => history.remove());

  it('is no file of a root that is installed and updated with it, and leaves nothing behind', async () => {
    history = await ReleaseHistory.begin();
    for (const version of [1, 2]) {
      await history.release(translations(version));
      const { change, files } = await history.follow('root');
      assert.equal(files, change.plan.files, 'it counts as no file');
      const moss = join(history.root('root'), '.moss');
      const index = new PackageIndex(readFileSync(join(moss, 'repositories/history/index')));
      const [newest] = index.candidates('app');
      assert.ok(newest !== undefined && decodeManifest(readFileSync(join(moss, 'blocks', newest.manifest))).dictionary !== undefined, 'there is a dictionary');
      const staged = readdirSync(join(moss, 'staging'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      assert.deepEqual(staged.map(({ name }) => name), []);
    }
  });
});
