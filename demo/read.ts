/** Takes values out of what `--json` gave; what is not there reads as nothing, and the checks say so. */

export type Fields = Record<string, unknown>;

export function textAt(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

export function numberAt(fields: Fields, name: string): number {
  const value = fields[name];
  return typeof value === 'number' ? value : Number.NaN;
}

export function recordsAt(fields: Fields, name: string): Fields[] {
  const value = fields[name];
  return Array.isArray(value) ? value.filter((each): each is Fields => typeof each === 'object' && each !== null) : [];
}

export function total(all: readonly { bytes: number; files: number }[]): { bytes: number; files: number } {
  return { bytes: all.reduce((sum, { bytes }) => sum + bytes, 0), files: all.reduce((sum, { files }) => sum + files, 0) };
}
