import { randomBytes } from 'node:crypto';
import type { Random } from '../core/ports/random.ts';

export const nodeRandom: Random = { bytes: (length) => randomBytes(length) };
