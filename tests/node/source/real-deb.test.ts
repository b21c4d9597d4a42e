/** Real packages, compared entry by entry with what `dpkg-deb` and `tar` make of them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { importDeb } from '../../../node/source/deb.ts';
import { DirectorySpool } from '../../../node/source/spool.ts';
import { inTemporary } from '../../fixtures/importing.ts';

/** Links in the archive, set-user-id, usr-merge, alternatives, owners other than root. */
const PACKAGES = ['perl-base', 'mawk', 'passwd', 'base-files', 'mount'];

/** Downloads a package, or finds it from an earlier run. */
function download(name: string, context: TestContext): string | undefined {
  const cache = join(tmpdir(), 'moss-test-debs');
  mkdirSync(cache, { recursive: true });
  const cached = () => readdirSync(cache).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
  if (cached() === undefined) {
    const { status, error } = spawnSync('apt-get', ['download', name], { cwd: cache, stdio: 'ignore', timeout: 60_000 });
    if (error !== undefined || status !== 0) {
      context.skip(`apt-get download ${name} does not work here`);
      return undefined;
    }
  }
  const file = cached();
  if (file === undefined) context.skip(`apt-get download ${name} brought nothing`);
  return file === undefined ? undefined : join(cache, file);
}

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');
const inUsr = (path: string) => path.replace(/^(?=(?:bin|sbin|lib|lib32|lib64|libx32)(?:\/|$))/, 'usr/');

/** The table of a tree as `tar` extracts it; owners are only there for root. */
function extracted(deb: string, directory: string): Map<string, string> {
  const asRoot = process.getuid?.() === 0;
  execFileSync('sh', ['-c', 'dpkg-deb --fsys-tarfile "$1" | tar -xpf - -C "$2"', 'sh', deb, directory], { stdio: 'ignore' });
  const fields = execFileSync('find', [directory, '-mindepth', '1', '-printf', String.raw`%P\0%y\0%m\0%s\0%l\0%U:%G\0`]).toString().split('\0');
  const table = new Map<string, string>();
  for (let i = 0; i + 6 <= fields.length; i += 6) {
    const [path = '', type, mode, size, target, owner] = fields.slice(i, i + 6);
    const who = asRoot ? ` ${owner}` : '';
    if (type === 'f') table.set(inUsr(path), `file ${mode} ${size} ${sha256(join(directory, path))}${who}`);
    else table.set(inUsr(path), type === 'd' ? `directory ${mode}${who}` : `symlink ${target}${who}`);
  }
  return table;
}

async function imported(deb: string, directory: string): Promise<Map<string, string>> {
  const asRoot = process.getuid?.() === 0;
  const spool = new DirectorySpool(directory);
  const { entries } = await importDeb(deb, { spool });
  return new Map(
    entries.map((entry) => {
      const who = asRoot ? ` ${entry.owner?.uid ?? 0}:${entry.owner?.gid ?? 0}` : '';
      if (entry.type === 'symlink') return [entry.path, `symlink ${entry.target}${who}`];
      const mode = entry.mode.toString(8);
      return [entry.path, entry.type === 'file' ? `file ${mode} ${entry.size} ${sha256(spool.pathOf(entry.id))}${who}` : `directory ${mode}${who}`];
    }),
  );
}

for (const name of PACKAGES) {
  test(`${name} is imported as dpkg-deb extracts it`, async (context) => {
    const deb = download(name, context);
    if (deb === undefined) return;
    await inTemporary(async (directory) => {
      const tree = join(directory, 'tree');
      mkdirSync(tree);
      const expected = extracted(deb, tree);
      const actual = await imported(deb, join(directory, 'spool'));
      assert.ok(actual.size > 0);
      assert.deepEqual([...actual].toSorted(), [...expected].toSorted());
      const field = (of: string) => execFileSync('dpkg-deb', ['-f', deb, of]).toString().trim();
      const { metadata } = await importDeb(deb, { spool: new DirectorySpool(join(directory, 'spool')) });
      assert.deepEqual([metadata.name, metadata.version, metadata.architecture], [field('Package'), field('Version'), field('Architecture')]);
    });
  });
}
