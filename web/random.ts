import type { Random } from '../core/ports/random.ts';

export const webRandom: Random = { bytes: (length) => crypto.getRandomValues(new Uint8Array(length)) };
