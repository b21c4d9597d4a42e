/** What tests that tell a page what its donor does have to wait for first. */
import type { Frame, Page } from 'playwright-core';
import type { ScriptedDonor } from './page/scripted-engine.ts';

declare const donor: ScriptedDonor | undefined;

/**
 * Waits until the donor of a page has started and its tab is elected. The election is answered some time after the
 * start: until then the page says that another tab gives, whatever a test tells.
 */
export async function hasStarted(page: Page | Frame): Promise<void> {
  await page.waitForFunction(() => typeof donor !== 'undefined' && donor.settings !== undefined && donor.conditions?.elected === true);
}
