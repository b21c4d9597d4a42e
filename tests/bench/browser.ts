/** What a tab can do, in real Chromium. */
import { CHROMIUM } from '../web/chromium.ts';
import { storeFigures } from './browser-store.ts';
import { SkippedError } from './programs.ts';
import type { Bench } from './run.ts';

export const bench: Bench = async (options) => {
  if (CHROMIUM === undefined) throw new SkippedError('there is no Chromium');
  return storeFigures(options);
};
