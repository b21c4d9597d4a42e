/**
 * The entries of one package, checked against each other while they come in: no path twice with different content,
 * nothing below what is no directory, no two names that some file system takes for one by their Unicode form.
 */
import type { DirectoryEntry, Entry, FileEntry, LinkEntry, Owner } from '../../core/dag/entry.ts';
import { comparePaths, linkTarget, parentOf, parsePath, USR_ALIASES, type PackagePath } from '../../core/dag/path.ts';
import { shown, type Place } from './place.ts';

type Row = { entry: Entry; spelled: string };
type Without<T> = T extends Entry ? Omit<T, 'path'> : never;

/** What stands at a path, before the path is checked. */
export type Content = Without<FileEntry> | Without<LinkEntry> | Without<DirectoryEntry>;

export class Tree {
  readonly #rows = new Map<string, Row>();
  readonly #place: Place;

  constructor(place: Place) {
    this.#place = place;
  }

  /** The file at a path as a hard link names it. @throws MossError `bad-path` */
  fileAt(spelled: string): FileEntry | undefined {
    const path = this.#parse(spelled);
    const entry = path === undefined ? undefined : this.#rows.get(path)?.entry;
    return entry?.type === 'file' ? entry : undefined;
  }

  /** The checked form of a path; `undefined` for the root. @throws MossError `bad-path` */
  path(spelled: string): PackagePath | undefined {
    return this.#parse(spelled);
  }

  /**
   * Puts an entry in.
   *
   * @param spelled the path as the package writes it
   * @returns its path, or `undefined` for what every system has: the root, and links such as `bin` to `usr/bin`
   * @throws MossError `bad-path`
   */
  add(spelled: string, content: Content): PackagePath | undefined {
    const path = this.#parse(spelled);
    if (path === undefined) {
      if (content.type !== 'directory') throw this.#place.badPath('the root of the system is a directory', spelled);
      return undefined;
    }
    const inside = insidePath(spelled);
    if (content.type === 'symlink' && isAlias(inside) && content.target.replace(/^\.?\/+/, '').replace(/\/+$/, '') === `usr/${inside}`) return undefined;
    const entry: Entry = content.type === 'symlink' ? { ...content, path, target: this.#target(inside, path, content.target) } : { ...content, path };
    const earlier = this.#rows.get(path);
    if (earlier === undefined) this.#rows.set(path, { entry, spelled });
    else this.#rows.set(path, this.#fold(earlier, { entry, spelled }));
    return path;
  }

  /** All entries in path order. @throws MossError `bad-path` */
  finish(): Entry[] {
    this.#checkParents();
    this.#checkForms();
    return [...this.#rows.values()].map((row) => row.entry).toSorted((a, b) => comparePaths(a.path, b.path));
  }

  #parse(spelled: string): PackagePath | undefined {
    try {
      return parsePath(spelled);
    } catch (error) {
      throw this.#place.name(error);
    }
  }

  /**
   * A link in `lib` means what it means from there; the merge moves it one level down, so a target that climbs out of
   * `lib` is written anew where it would now lead elsewhere.
   */
  #target(inside: string, path: PackagePath, target: string): string {
    try {
      linkTarget(path, target);
      if (inside === path || target.startsWith('/')) return target;
      const meant = resolve(inside, target);
      if (meant === undefined) throw this.#place.badPath(`it links to ${shown(target)}, outside of the root`, inside);
      const merged = parsePath(meant) ?? '';
      const now = parsePath(resolve(path, target) ?? '') ?? '';
      if (merged === now) return target;
      return '../'.repeat(path.split('/').length - 1) + (merged || '.');
    } catch (error) {
      throw this.#place.name(error);
    }
  }

  #fold(earlier: Row, later: Row): Row {
    const [a, b] = [earlier.entry, later.entry];
    // Of two directories the one that is spelled as merged counts: `usr/lib` rather than `lib`.
    if (a.type === 'directory' && b.type === 'directory') return insidePath(later.spelled) === b.path ? later : earlier;
    const same =
      (a.type === 'file' && b.type === 'file' && a.id === b.id && a.mode === b.mode && sameOwner(a.owner, b.owner)) ||
      (a.type === 'symlink' && b.type === 'symlink' && linkTarget(a.path, a.target) === linkTarget(b.path, b.target));
    if (same) return earlier;
    const both = earlier.spelled === later.spelled ? `twice as ${shown(earlier.spelled)}` : `as ${shown(earlier.spelled)} and ${shown(later.spelled)}`;
    throw this.#place.badPath(`it comes ${both}, and they differ`, b.path);
  }

  #checkParents(): void {
    const good = new Set<string>(['']);
    for (const path of this.#rows.keys()) {
      for (let parent = parentOf(path); !good.has(parent); parent = parentOf(parent)) {
        const row = this.#rows.get(parent);
        if (row !== undefined && row.entry.type !== 'directory') {
          throw this.#place.badPath(`it lies below ${shown(parent)}, which is a ${row.entry.type} in the same package`, path);
        }
        good.add(parent);
      }
    }
  }

  /** Some file systems store NFC or NFD whatever is asked of them (HFS+), others keep both apart (ext4). */
  #checkForms(): void {
    const unusual = [...this.#rows.keys()].filter((path) => NOT_ASCII.test(path));
    if (unusual.length === 0) return;
    const names = new Set<string>();
    for (const path of this.#rows.keys()) for (let name = path; name !== '' && !names.has(name); name = parentOf(name)) names.add(name);
    const forms = new Map<string, string>();
    for (const name of names) {
      const form = name.normalize('NFC');
      const other = forms.get(form);
      if (other !== undefined) throw this.#place.badPath(`it differs from ${shown(other)} only in its Unicode form`, name);
      forms.set(form, name);
    }
  }
}

// eslint-disable-next-line no-control-regex
const NOT_ASCII = /[^\x00-\x7f]/;

/** The path as the package means it, before the merge. */
export function insidePath(spelled: string): string {
  return spelled.split('/').filter((name) => name !== '' && name !== '.').join('/');
}

function isAlias(path: string): boolean {
  return (USR_ALIASES as readonly string[]).includes(path);
}

/** Where a relative link at `path` leads, as text; `undefined` when out of the root. */
function resolve(path: string, target: string): string | undefined {
  const names = path.split('/').slice(0, -1);
  for (const name of target.split('/')) {
    if (name === '' || name === '.') continue;
    if (name !== '..') names.push(name);
    else if (names.pop() === undefined) return undefined;
  }
  return names.join('/');
}

function sameOwner(a: Owner | undefined, b: Owner | undefined): boolean {
  return a?.uid === b?.uid && a?.gid === b?.gid && a?.user === b?.user && a?.group === b?.group;
}

/** An owner for an entry: none for root. */
export function ownerOf(uid: number, gid: number, user: string, group: string): Owner | undefined {
  const root = uid === 0 && gid === 0 && (user === '' || user === 'root') && (group === '' || group === 'root');
  return root ? undefined : { uid, gid, user, group };
}
