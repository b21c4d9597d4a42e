/** The filter `x86-64` as core/dag/filter.ts describes it, byte by byte: what its WebAssembly is held against. */

const HALF = 2 ** 24;
const OPCODES = new Set([0x03, 0x2b, 0x39, 0x3b, 0x63, 0x85, 0x89, 0x8b, 0x8d]);

export function referenceFilter(bytes: Uint8Array, start: number, isUndoing: boolean): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < bytes.length - 7; ) {
    const operand = operandOf(view, i);
    if (operand === undefined) {
      i++;
      continue;
    }
    let value = view.getInt32(operand, !isUndoing);
    const next = start + operand + 4;
    if (value >= -HALF && value < HALF) value = ((value + (isUndoing ? -next : next) + HALF) & (2 * HALF - 1)) - HALF;
    view.setInt32(operand, value, isUndoing);
    i = operand + 4;
  }
}

function operandOf(view: DataView, at: number): number | undefined {
  const [first, second, third] = [view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2)];
  if (first === 0xe8 || first === 0xe9) return at + 1;
  const isRelative = first >= 0x48 && first < 0x50 && OPCODES.has(second) && (third & 0xc7) === 0x05;
  return isRelative ? at + 3 : undefined;
}
