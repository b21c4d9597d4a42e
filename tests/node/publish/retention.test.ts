import assert from 'node:assert/strict';
import { existsSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { after as afterAll, describe, it } from 'node:test';
import type { Cid } from '../../../core/dag/cid.ts';
import type { Root } from '../../../core/dag/root.ts';
import { INDEX_GRACE } from '../../../node/publish/retention.ts';
import { Repository } from '../../../node/publish/site.ts';
import { currentRoot } from '../../../node/trust/current.ts';
import { ReleaseHistory } from '../../fixtures/release-history.ts';

describe('the indexes of earlier revisions', () => {
  let history: ReleaseHistory;
  afterAll(() => history.remove());

  it('go once they were superseded before the grace and no delta leads from them; what updates need stays', async () => {
    history = await ReleaseHistory.begin();
    const roots: Cid[] = [];
    const release = async (): Promise<void> => {
      await history.release({ 'usr/share/app/data': `release ${roots.length}` }, { releases: 0, share: 1 });
      roots.push((await currentRoot(history.repository)) ?? assert.fail());
    };
    for (let i = 0; i < 4; i++) await release();
    await history.follow('client');
    for (let i = 0; i < 12; i++) await release();
    const repository = Repository.open(history.repository);
    const read = async (): Promise<{ cid: Cid; root: Root; whole: boolean }[]> =>
      Promise.all(roots.map(async (cid) => {
        const root = await repository.root(cid);
        return { cid, root, whole: root.index.frames.every((frame) => existsSync(repository.blocks.pathOf(frame.cid))) };
      }));
    assert.ok((await read()).every(({ whole }) => whole), 'within the grace all stay');

    const past = (Date.now() - INDEX_GRACE) / 1000 - 60;
    for (const cid of roots) utimesSync(repository.blocks.pathOf(cid), past, past);
    await release();
    const after = await read();
    const newest = after.at(-1)?.root ?? assert.fail();
    const last = roots.at(-2) ?? assert.fail();
    const kept = new Set([last, ...newest.index.deltas.map(({ root }) => root)].map(String));
    for (const { cid, whole } of after.slice(0, -1)) assert.equal(whole, kept.has(cid.toString()), `revision ${roots.findIndex((each) => each.equals(cid)) + 1}`);
    assert.ok(after.some(({ whole }) => !whole), 'some are gone');
    assert.ok(newest.index.deltas.every(({ frames }) => frames.every(({ cid }) => existsSync(join(history.site, 'blocks', cid.toString())))));

    // A client of a revision that is gone takes the index whole, or by the delta that there is.
    await history.follow('client');
    await release();
    assert.equal((await read()).at(-1)?.whole, true);
  });
});
