/** A package of our own, made of a plain directory, in two versions. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the directory of `hello` in one version, and gives its path. */
export function writeHello(directory: string, version: string): string {
  const path = join(directory, `hello-${version}`);
  mkdirSync(join(path, 'usr/bin'), { recursive: true });
  mkdirSync(join(path, 'usr/share/doc/hello'), { recursive: true });
  writeFileSync(join(path, 'moss.toml'), `[package]\nname = "hello"\nversion = "${version}"\nsummary = "says hello"\nlicences = ["MIT"]\n`);
  const program = join(path, 'usr/bin/hello');
  writeFileSync(program, `#!/bin/sh\necho "hello ${version}"\n`);
  chmodSync(program, 0o755);
  writeFileSync(join(path, 'usr/share/doc/hello/README'), `This is hello ${version}.\n`);
  return path;
}
