/** Which repositories a root knows, and what it remembers of each beside what is signed: files below `repositories/NAME/`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Fields } from '../../core/dag/fields.ts';
import { MossError } from '../../core/error.ts';
import { syncPath, writeFileDurably } from '../store/durable.ts';
import type { Layout } from '../store/layout.ts';

/** What a root remembers of a repository beside what is signed. */
export interface RepositoryConfig {
  name: string;
  /** Addresses of its site, `http:`, `https:` or `file:`; the first is asked first. */
  urls: string[];
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export class RepositoryConfigs {
  readonly #directory: string;

  constructor({ repositories }: Layout) {
    this.#directory = repositories;
  }

  /** A file of a repository. */
  file(name: string, file: string): string {
    return join(this.#directory, name, file);
  }

  /** All repositories, in the order of their names. */
  list(): RepositoryConfig[] {
    if (!existsSync(this.#directory)) return [];
    return readdirSync(this.#directory)
      .filter((name) => this.#has(name))
      .toSorted()
      .map((name) => this.get(name));
  }

  /** @throws MossError `not-found`, `damaged` */
  get(name: string): RepositoryConfig {
    this.#require(name);
    const path = this.file(name, 'repository.json');
    try {
      return { name, urls: new Fields(JSON.parse(readFileSync(path, 'utf8')), 'damaged', path).texts('urls') };
    } catch (cause) {
      throw new MossError('damaged', `what is noted of the repository ${name} cannot be read: ${path}`, { hint: `Remove it, \`moss repo remove ${name}\`, and add it again.`, cause, data: { path } });
    }
  }

  /**
   * Makes room for a repository that is not there yet.
   *
   * @throws MossError `exists`, `usage`
   */
  reserve(name: string): void {
    if (!NAME.test(name)) throw new MossError('usage', `${JSON.stringify(name)} is no name for a repository`, { hint: 'Use letters, digits, dots and dashes.' });
    if (this.#has(name)) {
      throw new MossError('exists', `there is a repository ${name} already`, { hint: `Remove it with \`moss repo remove ${name}\`, or choose another name.` });
    }
    mkdirSync(this.file(name, 'trust'), { recursive: true });
  }

  /** From here on the repository is there. */
  write({ name, urls }: RepositoryConfig): void {
    writeFileDurably(this.file(name, 'repository.json'), `${JSON.stringify({ schema: 1, urls }, undefined, 1)}\n`);
    syncPath(this.#directory);
  }

  /** @throws MossError `not-found` */
  remove(name: string): void {
    this.#require(name);
    rmSync(this.file(name, ''), { recursive: true });
  }

  #require(name: string): void {
    if (!NAME.test(name) || !this.#has(name)) {
      throw new MossError('not-found', `there is no repository ${name}`, { hint: 'See `moss repo list`.', data: { repository: name } });
    }
  }

  #has(name: string): boolean {
    return existsSync(this.file(name, 'repository.json'));
  }
}

/**
 * An address as it is kept: `http:`, `https:` or `file:`, without a slash at its end. A path is a `file:` address.
 *
 * @throws MossError `usage`
 */
export function siteUrl(text: string): string {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return pathToFileURL(text).href.replace(/\/+$/, '');
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:', 'file:'].includes(url.protocol)) {
    throw new MossError('usage', `${text} is no address of a repository`, { hint: 'Give an http, https or file address, or a directory.' });
  }
  return url.href.replace(/\/+$/, '');
}
