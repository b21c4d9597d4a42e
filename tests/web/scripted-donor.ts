/** What tests that tell a page what its donor does have to wait for first. */
import type { Frame, Page } from 'playwright-core';
import type { ScriptedDonor } from './page/scripted-engine.ts';

declare const donor: ScriptedDonor | undefined;

/** Waits until the donor of a page has started, which it does once the browser has said whether its tab is elected, and that it is. */
export async function hasStarted(page: Page | Frame): Promise<void> {
  await page.waitForFunction(() => typeof donor !== 'undefined' && donor.settings !== undefined && donor.conditions?.elected === true);
}
