import type { Message, Data } from './wire/message.ts';
import { DATA_HEAD_SIZE, HEAD_SIZE } from './wire/message.ts';
import { encodeMessage, writeDataHead } from './wire/encode.ts';

export type Piece = Omit<Data, 'type'>;

/** Messages and then pieces in one buffer, so that small ones share a write, and content is copied once. */
export function packMessages(messages: readonly Message[], pieces: readonly Piece[]): Uint8Array {
  const heads = messages.map(encodeMessage);
  const size = heads.reduce((sum, head) => sum + head.length, 0) + pieces.reduce((sum, { bytes }) => sum + HEAD_SIZE + DATA_HEAD_SIZE + bytes.length, 0);
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const head of heads) {
    out.set(head, at);
    at += head.length;
  }
  for (const piece of pieces) {
    writeDataHead(view, at, piece, piece.bytes.length);
    out.set(piece.bytes, at + HEAD_SIZE + DATA_HEAD_SIZE);
    at += HEAD_SIZE + DATA_HEAD_SIZE + piece.bytes.length;
  }
  return out;
}
