import type { Random } from '../ports/random.ts';

/** The same items in an order that is as good as random (Fisher and Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const keys = new DataView(random.bytes(4 * items.length).buffer);
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = keys.getUint32(4 * i) % (i + 1);
    const [a, b] = [out[i], out[j]];
    if (a !== undefined && b !== undefined) [out[i], out[j]] = [b, a];
  }
  return out;
}
