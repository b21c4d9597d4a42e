/** zstd takes content that begins like this for a trained dictionary (RFC 8878 section 6). */
const MAGIC = 0xec30a437;

/** Whether zstd would read content as a trained dictionary: then it cannot be what other content is compressed against. */
export function isTrainedDictionary(content: Uint8Array): boolean {
  return content.length >= 4 && new DataView(content.buffer, content.byteOffset).getUint32(0, true) === MAGIC;
}
