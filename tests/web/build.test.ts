/** What `npm run build` makes of `web/`, with the real engine: small enough, and tied together by hashes. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { BUDGETS, buildWeb, reportOf, type BuiltWeb } from '../../build/web.ts';
import { temporaryDirectory } from '../e2e/fixture.ts';

describe('the build of web/', { timeout: 600_000 }, () => {
  const directory = temporaryDirectory('web');
  let built: BuiltWeb;
  before(async () => {
    built = await buildWeb({ directory: directory.path });
  });
  after(() => directory.remove());
  const read = (name: string): Buffer => readFileSync(join(directory.path, name));

  it('keeps to its budgets', (test) => {
    const { excesses } = reportOf(built);
    test.diagnostic(`after gzip: loader ${built.sizes.loader}, page ${built.sizes.page}, engine ${built.sizes.engine} bytes`);
    assert.deepEqual(excesses, []);
    assert.deepEqual(BUDGETS, { loader: 10 * 1024, engine: 150 * 1024, page: 40 * 1024 });
  });

  it('would say so if it did not', () => {
    const larger = reportOf({ ...built, sizes: { ...built.sizes, loader: 10_241 } });
    assert.deepEqual(larger.excesses, ['the loader has 10241 bytes after gzip, and may have 10240']);
  });

  it('prints the hash of each script, and both loaders have that of the engine', () => {
    const engine = built.files.find(({ name }) => name.startsWith('moss-engine.'));
    assert.ok(engine !== undefined);
    assert.equal(engine.integrity, `sha384-${createHash('sha384').update(read(engine.name)).digest('base64')}`);
    for (const loader of ['moss-seeder.js', 'moss-page.js']) {
      const text = read(loader).toString();
      assert.ok(text.includes(engine.integrity) && text.includes(engine.name), loader);
      assert.ok(reportOf(built).lines.some((line) => line.includes(loader) && line.includes('sha384-')));
    }
  });

  it('has the page under both of its names, the frame, and the sample site', () => {
    assert.deepEqual(read('donate.html'), read('index.html'));
    for (const name of ['frame.html', 'examples/index.html', 'examples/site.js']) assert.ok(existsSync(join(directory.path, name)), name);
  });

  it('puts no script and no style into its pages, and their policy allows none', () => {
    for (const name of ['index.html', 'frame.html', 'examples/index.html']) {
      const html = read(name).toString();
      assert.equal(/<script(?![^>]*\ssrc=)/.test(html), false, `${name} has an inline script`);
      assert.equal(/<style|\sstyle=|\son\w+=/.test(html), false, `${name} has inline style or handlers`);
      const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1] ?? '';
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /require-trusted-types-for 'script'; trusted-types moss/);
      assert.equal(/unsafe|\*/.test(policy), false, policy);
    }
  });
});
