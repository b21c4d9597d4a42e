/** Damages one byte of an installed file, and sees it found and mended: that file, and nothing else. */
import { createHash } from 'node:crypto';
import { chmodSync, closeSync, openSync, readFileSync, readSync, realpathSync, statSync, utimesSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Moss } from './moss.ts';
import { numberAt, recordsAt, textAt } from './read.ts';
import { size, type Stage } from './stage.ts';

export async function breakAndRepair(moss: Moss, stage: Stage, { root, path }: { root: string; path: string }): Promise<void> {
  const file = realpathSync(join(root, path));
  const before = sha256Of(file);
  const { nlink, size: bytes } = statSync(file);
  flipByte(file);
  stage.say(`One bit of /${path} (${size(bytes)}) is flipped, and its time put back. ${nlink > 1 ? `It has ${nlink} names, all of which show it: the store's as well.` : ''}`);

  const found = await moss.ask(['verify']);
  const findings = recordsAt(found.document, 'findings');
  stage.check(`moss verify finds it: ${findings.map((each) => `/${textAt(each, 'path')} of ${textAt(each, 'package')}: ${textAt(each, 'problem')}`).join(', ')}`, found.status === 1 && findings.length === 1 && textAt(findings[0] ?? {}, 'path') === path, found.stdout + found.stderr);
  stage.say(`It read ${numberAt(found.document, 'files').toLocaleString('en')} files, ${size(numberAt(found.document, 'bytes'))}, in ${(found.time / 1000).toFixed(1)} s.`);

  const repaired = await moss.ask(['verify', '--repair', '--yes']);
  stage.check('and mends it', repaired.status === 0 && sha256Of(realpathSync(join(root, path))) === before, repaired.stdout + repaired.stderr);
  const again = await moss.run(['verify']);
  stage.check('nothing else is wrong', again.status === 0, again.stdout + again.stderr);
}

function flipByte(file: string): void {
  const { size: bytes, mode, atime, mtime } = statSync(file);
  chmodSync(file, 0o755);
  const fd = openSync(file, 'r+');
  const byte = Buffer.alloc(1);
  const position = Math.floor(bytes / 2);
  readSync(fd, byte, 0, 1, position);
  byte.writeUInt8(byte.readUInt8(0) ^ 1);
  writeSync(fd, byte, 0, 1, position);
  closeSync(fd);
  chmodSync(file, mode & 0o7777);
  utimesSync(file, atime, mtime);
}

function sha256Of(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
