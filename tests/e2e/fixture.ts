/** Small packages with one of everything, published into a repository. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { noise as bytesOf } from '../fixtures/noise.ts';
import { mossDone } from './moss.ts';

/** A directory that is gone when the test is over. */
export function temporaryDirectory(name: string): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), `moss-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Bytes that do not compress and are the same each time. */
export function noise(length: number, seed: number): Buffer {
  return Buffer.from(bytesOf(length, seed).buffer);
}

export interface Wanted {
  name: string;
  version?: string;
  depends?: string[];
  /** Small text files. */
  small?: number;
  /** Bytes of one large file; 0 for none. */
  large?: number;
  /** A configuration file with this content. */
  configuration?: string;
}

/** The directory of a package: a program, a link to it, texts, packed documents, a large file, configuration. */
export function writePackage(parent: string, wanted: Wanted): string {
  const { name, version = '1.0', depends = [], small = 20, large = 0, configuration } = wanted;
  const directory = join(parent, `${name}-${version}`);
  const write = (path: string, content: string | Uint8Array, mode = 0o644): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
    chmodSync(join(directory, path), mode);
  };
  write('moss.toml', `[package]\nname = "${name}"\nversion = "${version}"\ndepends = ${JSON.stringify(depends)}\nsummary = "The ${name} of a test"\nprefix = ""\n`);
  write(`usr/bin/${name}`, `#!/bin/sh\necho ${name} ${version}\n`, 0o755);
  symlinkSync(name, join(directory, `usr/bin/${name}-link`));
  for (let i = 0; i < small; i++) write(`usr/share/${name}/text-${i}.txt`, `${name} ${i % 3 === 0 ? version : 'same'}: line ${i}\n`.repeat(i + 1));
  write(`usr/share/${name}/empty`, '');
  write(`usr/share/man/man1/${name}.1.gz`, gzip(`.TH ${name} 1\n${'words of a manual page\n'.repeat(40)}${version}\n`));
  write(`usr/share/doc/${name}/changelog.gz`, gzip(`${name} (${version})\n${'a change\n'.repeat(100)}`));
  if (large > 0) write(`usr/lib/${name}/large.bin`, noise(large, name.length * 7919 + version.length));
  if (configuration !== undefined) write(`etc/${name}.conf`, configuration);
  return directory;
}

function gzip(text: string): Buffer {
  const { stdout, status } = spawnSync('gzip', ['-9nc'], { input: text });
  return status === 0 ? stdout : Buffer.from(text);
}

export interface Repository {
  directory: string;
  site: string;
  /** Of the root keys, for `moss repo add --fingerprint`. */
  fingerprint: string;
}

export async function makeRepository(parent: string, packages: readonly string[], name = 'test'): Promise<Repository> {
  const directory = join(parent, name);
  const { stdout } = await mossDone(['repo', 'init', directory, '--name', name, '--json']);
  await mossDone(['publish', directory, ...packages]);
  const { fingerprint } = JSON.parse(stdout) as { fingerprint: string };
  return { directory, site: join(directory, 'site'), fingerprint };
}
