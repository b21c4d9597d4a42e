/** What a test page loads: the engine over the browser's own storage, as `makeDonor`. */
import type { DonorSettings } from '../../core/donate/settings.ts';
import type { DonorEvent, Donor } from '../../core/donate/donor.ts';
import { createDonor } from '../../web/seeder.ts';
import type { Dialled } from '../../web/net/tab-network.ts';
import { browserStorage, type BrowserStorage } from '../../web/store/storage.ts';

/** What a test may ask of the page. */
export interface DonorPage {
  storage: BrowserStorage;
  donor: Donor;
  events: DonorEvent[];
  start: (settings: DonorSettings) => Promise<void>;
}

declare global {
  var makeDonor: (transports?: Dialled[]) => DonorPage;
  var page: DonorPage;
}

globalThis.makeDonor = (transports) => {
  const storage = browserStorage();
  const donor = createDonor({ storage, transports });
  const events: DonorEvent[] = [];
  donor.subscribe((event) => events.push(event));
  const made: DonorPage = { storage, donor, events, start: (settings) => donor.start(settings, { online: true, elected: true }) };
  globalThis.page = made;
  return made;
};
