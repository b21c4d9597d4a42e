/** What is loaded after consent, and only then: one file, with all that gives. */
import type { Donor } from '../core/donate/donor.ts';
import { createDonor } from './seeder.ts';
import { askToPersist, browserStorage } from './store/storage.ts';

/** What the page and the element see of the engine, whatever made it. */
export interface Engine {
  readonly donor: Donor;
  /** Removes what the donor cannot see of itself: files, databases. */
  erase(): Promise<void>;
  /** Lets the files go, so that another tab can have them. */
  release(): void;
}

/** @param connections peers at the same time */
export function createEngine({ connections }: { connections?: number | undefined }): Engine {
  const storage = browserStorage();
  void askToPersist();
  return {
    donor: createDonor({ storage, connections }),
    erase: async () => {
      await storage.blocks.destroy();
      await storage.records.clear();
    },
    release: () => storage.blocks.close(),
  };
}
