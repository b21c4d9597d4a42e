/** The command line itself: help, usage errors, aliases, streams, colours, completions. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { expandWords } from '../../../node/cli/words.ts';
import { version } from '../../../node/version.ts';
import { World } from './world.ts';

describe('the command line', { timeout: 600_000 }, () => {
  const world = new World();
  after(() => world.remove());

  test('aliases of the existing moss are spelt out, after global options too', () => {
    assert.deepEqual(expandWords(['-D', 'li', 'ar', 'x']), ['-D', 'li', 'repo', 'add', 'x']);
    assert.deepEqual(expandWords(['--json', 'li']), ['--json', 'list', 'installed']);
    assert.deepEqual(expandWords(['install', 'li']), ['install', 'li'], 'only the verb is one');
    assert.deepEqual(expandWords(['cache']), ['cache', 'show']);
    assert.deepEqual(expandWords(['cache', 'prune']), ['cache', 'prune']);
  });

  test('what follows the program of run is its own', () => {
    assert.deepEqual(expandWords(['run', '--state', '2', 'ls', '--json']), ['run', '--state', '2', '--', 'ls', '--json']);
    assert.deepEqual(expandWords(['run', '--', 'ls']), ['run', '--', 'ls']);
  });

  test('no verb, and help, are help on stdout', async () => {
    for (const args of [[], ['--help'], ['help'], ['repo'], ['repo', 'key'], ['install', '--help']]) {
      const { status, stdout, stderr } = await world.moss(args);
      assert.equal(status, 0, args.join(' '));
      assert.match(stdout, /^Usage: moss/);
      assert.equal(stderr, '');
    }
    assert.equal(await world.text('--version'), `${version}\n`);
    assert.equal((await world.json())['code'], 'usage');
  });

  test('usage errors are exit 2, with a hint, in words and as a document', async () => {
    for (const [args, hint] of [
      [['instal', 'x'], /Did you mean install/],
      [['list', '--nosuch'], /moss list --help/],
      [['install'], /moss install --help/],
      [['repo', 'ad'], /Did you mean/],
      [['list', 'a', 'b'], /--help/],
      [['install', 'x', '--root'], /--help/],
      [['list', 'nosuch'], /installed/],
    ] as const) {
      const { status, stdout, stderr } = await world.moss(args);
      assert.equal(status, 2, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, /^error: /);
      assert.match(stderr, hint);
      const document = await world.json(...args);
      assert.equal(document['code'], 'usage');
      assert.match(String(document['hint']), hint);
    }
  });

  test('global options stand before and after the verb', async () => {
    const other = join(world.directory, 'other-root');
    for (const args of [['-D', other, 'config', 'get', 'link', '--json'], ['config', '--json', 'get', 'link', `--root=${other}`]]) {
      assert.equal((JSON.parse((await world.moss(args)).stdout) as { schema: string }).schema, 'moss.config-get/1');
    }
  });

  test('colours come when they are asked for, and never against NO_COLOR', async () => {
    const cases: [environment: Record<string, string>, coloured: boolean][] = [
      [{}, false],
      [{ FORCE_COLOR: '1' }, true],
      [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false],
      [{ FORCE_COLOR: '1', TERM: 'dumb' }, false],
    ];
    for (const [environment, coloured] of cases) {
      const { stdout } = await world.moss(['config'], { environment });
      assert.equal(stdout.includes('\u001B['), coloured, JSON.stringify(environment));
    }
  });

  test('a reader that goes away is no failure', async () => {
    const child = world.start(['completion', 'bash']);
    child.stdout?.destroy();
    let stderr = '';
    child.stderr?.on('data', (piece: Buffer) => (stderr += piece.toString()));
    const status = await new Promise((resolve) => child.on('close', resolve));
    assert.deepEqual([status, stderr], [0, '']);
  });

  test('completions are read by their shells, and know verbs, options and names', async () => {
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = await world.text('completion', shell);
      assert.equal((await world.json('completion', shell))['shell'], shell);
      const file = join(world.directory, `moss.${shell}`);
      writeFileSync(file, script);
      if (spawnSync(shell, ['--version']).error === undefined) execFileSync(shell, ['-n', file]);
      for (const word of ['install', 'activate', '--keep-orphans', 'rotate', '--dry-run']) assert.ok(script.includes(word.replace(/^--(?=keep|dry)/, '')), `${shell}: ${word}`);
    }
    const complete = (words: string): string =>
      execFileSync('bash', ['-c', `source ${join(world.directory, 'moss.bash')}; COMP_WORDS=(${words} ''); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _moss; echo "\${COMPREPLY[@]}"`], { encoding: 'utf8' });
    assert.match(complete('moss'), /install remove sync/);
    assert.match(complete('moss -D x repo key'), /list create add rotate/);
    assert.deepEqual((await world.json('complete', 'shells'))['names'], ['bash', 'zsh', 'fish']);
    assert.equal(await world.text('complete', 'installed'), '');
  });
});
