import { setFlagsFromString } from 'node:v8';

/**
 * Keeps V8's young generation at its first size. Installing makes much short-lived garbage, most of it small handles of
 * large buffers: with the usual growth the peak memory of an install is 55 MB higher, and no faster (measured).
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
