/** A package in several versions, and its files in the store of a root. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { noise } from './fixture.ts';

const MEGABYTE = 1024 * 1024;

/** A package with a bit of everything, whose versions differ a little everywhere. */
export function writeVersion(parent: string, version: number): string {
  const directory = join(parent, `app-${version}`);
  const write = (path: string, content: string | Uint8Array, mode = 0o644): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
    chmodSync(join(directory, path), mode);
  };
  /** Bytes that hardly compress, with the version put into them here and there. */
  const stamped = (length: number, seed: number): Buffer => {
    const bytes = Buffer.alloc(length, noise(Math.min(length, MEGABYTE / 2), seed));
    for (let at = 1000; at < length; at += 200_000) bytes.write(`version ${version}`, at);
    return bytes;
  };
  write('moss.toml', `[package]\nname = "app"\nversion = "${version}"\nsummary = "An app"\nprefix = ""\n`);
  write('usr/bin/app', stamped(300_000, 3), 0o755);
  write(`usr/lib/app/libapp.so.${version}.0`, stamped(100_000, 5));
  if (version <= 2) write('usr/share/app/large.bin', Buffer.concat([Buffer.from(`${version} `.repeat(version)), stamped(9 * MEGABYTE, 7)]));
  for (let i = 0; i < 30; i++) write(`usr/share/app/text-${i}.txt`, `${noise(1500, i).toString('base64')} ${i % 2 === 0 ? version : ''}\n`);
  const changelog = Array.from({ length: version + 20 }, (_, i) => `app (${i})\n  * ${noise(600, i).toString('base64')}\n`).toReversed().join('');
  write('usr/share/doc/app/changelog.gz', gzip(changelog));
  if (version > 1) write('usr/share/app/new.bin', noise(20_000, 11));
  return directory;
}

function gzip(text: string): Buffer {
  return spawnSync('gzip', ['-9nc'], { input: text }).stdout;
}

/** The file of the store that holds the content of a path. */
export function storedFile(root: string, path: string): string {
  const content = readFileSync(join(root, path));
  const store = join(root, '.moss/store');
  const same = (name: string): boolean => {
    const stat = statSync(join(store, name));
    return stat.isFile() && stat.size === content.length && readFileSync(join(store, name)).equals(content);
  };
  const found = readdirSync(store, { recursive: true, encoding: 'utf8' }).find(same);
  assert.ok(found !== undefined, `${path} is in the store`);
  return join(store, found);
}

/** Alters a file of the store here and there: its size, time and mode stay. */
export function alterStored(root: string, path: string): void {
  const file = storedFile(root, path);
  const { mtime, mode } = statSync(file);
  const bytes = readFileSync(file);
  for (let at = 2000; at < bytes.length; at += 50_000) bytes[at] = (bytes[at] ?? 0) ^ 0x55;
  chmodSync(file, 0o644);
  writeFileSync(file, bytes);
  chmodSync(file, mode);
  utimesSync(file, mtime, mtime);
}
