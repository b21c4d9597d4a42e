/** What becomes free on the disk when names of files go. */
import type { Stats } from 'node:fs';

/** Files and bytes on disk. */
export interface Amount {
  files: number;
  bytes: number;
}

/** What a file takes on the disk: bytes in whole blocks, none for what fits into its inode. */
export function bytesOnDisk({ blocks }: Pick<Stats, 'blocks'>): number {
  return blocks * 512;
}

/** Names that go, one after the other: a file with several names is free when the last one goes. */
export class Freed {
  files = 0;
  bytes = 0;
  readonly #names = new Map<string, number>();

  take(stat: Stats): void {
    const left = this.namesLeft(stat) - 1;
    if (!stat.isDirectory() && stat.nlink > 1) this.#names.set(keyOf(stat), left);
    if (left > 0 && !stat.isDirectory()) return;
    this.bytes += bytesOnDisk(stat);
    if (!stat.isDirectory()) this.files++;
  }

  /** How many names a file still has. */
  namesLeft(stat: Stats): number {
    return this.#names.get(keyOf(stat)) ?? stat.nlink;
  }
}

function keyOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}
