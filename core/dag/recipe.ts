/**
 * Recipes: how a file that holds compressed content is rebuilt, byte for byte, from that content. What travels is the
 * content, which compresses together with its neighbours.
 */

/** `gzip -9n` is GNU gzip's, whose output is not zlib's. */
export const RECIPES = ['gzip -9n'] as const;
export type Recipe = (typeof RECIPES)[number];
