import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Pool } from '../../../node/threads/pool.ts';
import type { SlowTask } from './slow-worker.ts';

const WORKER = new URL('./slow-worker.ts', import.meta.url);

describe('a pool of threads', () => {
  let pool: Pool<SlowTask, string>;
  afterEach(() => pool.close());

  it('does the tasks of one thread in their order, and gives each its own result', async () => {
    pool = new Pool(WORKER, { size: 1, ahead: 1 });
    const done: string[] = [];
    const tasks = [30, 0, 10, 0].map((wait, i) => ({ wait, name: `${i}` }));
    const results = await Promise.all(tasks.map(async (task) => {
      const name = await pool.run(task);
      done.push(name);
      return name;
    }));
    assert.deepEqual(results, ['0', '1', '2', '3']);
    assert.deepEqual(done, results);
  });

  it('begins on an idle thread rather than behind another task', async () => {
    pool = new Pool(WORKER, { size: 2, ahead: 1 });
    const long = pool.run({ wait: 60_000, name: 'long' });
    long.catch(() => undefined);
    assert.equal(await pool.run({ wait: 0, name: 'short' }), 'short');
  });

  it('fails what a dying thread had, and goes on with another', async () => {
    pool = new Pool(WORKER, { size: 1, ahead: 1 });
    const given = [pool.run('die'), pool.run({ wait: 0, name: 'behind' }), pool.run({ wait: 0, name: 'later' })];
    const [dead, behind, later] = await Promise.allSettled(given);
    assert.deepEqual([dead?.status, behind?.status], ['rejected', 'rejected']);
    assert.deepEqual(later, { status: 'fulfilled', value: 'later' });
  });

  it('has what waits done on this thread where that helps, and leaves what it does not do to the others', async () => {
    pool = new Pool(WORKER, { size: 1, ahead: 0 });
    const long = pool.run({ wait: 60_000, name: 'long' });
    long.catch(() => undefined);
    const short = pool.run({ wait: 0, name: 'short' });
    const wrong = pool.run({ wait: 0, name: 'wrong' });
    const wronged = assert.rejects(wrong, /not right/);
    // Nobody has done it by the time that the pool is closed.
    const other = assert.rejects(pool.run({ wait: 0, name: 'other' }));
    await pool.help((task) => {
      if (task === 'die' || task.name === 'other') return undefined;
      return task.name === 'wrong' ? Promise.reject(new Error('not right')) : Promise.resolve(`${task.name}, here`);
    });
    assert.equal(await short, 'short, here');
    await wronged;
    await pool.close();
    await other;
  });

  it('fails what is under way when it is closed', async () => {
    pool = new Pool(WORKER, { size: 1, ahead: 1 });
    const given = Array.from({ length: 3 }, (_, i) => pool.run({ wait: 60_000, name: `${i}` }));
    const settled = Promise.allSettled(given);
    await pool.close();
    assert.deepEqual((await settled).map(({ status }) => status), ['rejected', 'rejected', 'rejected']);
  });
});
