/**
 * From bytes to messages, as they come. A length is checked before anything is allocated for it, a buffer grows with
 * what came and not with what was promised, and the content of `data` is handed on without being gathered.
 */
import { decodeBody } from './decode-body.ts';
import {
  badMessage, DATA_HEAD_SIZE, ENCODINGS, HEAD_SIZE, MAX_ANSWER, MAX_BODY, MAX_DELTA_CONTENT, MAX_PIECE, TYPES,
  type Data, type Message, type MessageType,
} from './message.ts';

type ControlType = Exclude<MessageType, 'data'>;

const TYPE_NAMES = new Map<number, MessageType>(Object.entries(TYPES).map(([name, number]) => [number, name as MessageType]));
/** Bytes allocated for a body before any of it came. */
const FIRST_BUFFER = 256;

/** What the side that asks, and the side that answers, may say. */
export const FROM_ASKER: ReadonlySet<MessageType> = new Set(['hello', 'want', 'query', 'cancel']);
export const FROM_SERVER: ReadonlySet<MessageType> = new Set(['hello', 'data', 'miss', 'have', 'soon', 'busy']);

type State =
  | { in: 'head' }
  | { in: 'data head'; rest: number }
  | { in: 'data'; data: Omit<Data, 'bytes'>; rest: number }
  | { in: 'body'; type: ControlType; length: number };

export class Decoder {
  readonly #expected: ReadonlySet<MessageType>;
  #state: State = { in: 'head' };
  /** What was gathered of a head or a body. */
  #buffer = new Uint8Array(FIRST_BUFFER);
  #gathered = 0;

  /** @param expected what the other side may say */
  constructor(expected: ReadonlySet<MessageType>) {
    this.#expected = expected;
  }

  /** Whether nothing is missing of the message that began last. */
  get atEnd(): boolean {
    return this.#state.in === 'head' && this.#gathered === 0;
  }

  /**
   * The messages that `chunk` completes, and what it brings of a piece. Bytes of pieces are views of the chunk.
   *
   * @throws MossError `bad-message`; nothing can be decoded after it
   */
  *push(chunk: Uint8Array): Generator<Message> {
    let at = 0;
    while (at < chunk.length) {
      const state = this.#state;
      if (state.in === 'data') {
        const bytes = chunk.subarray(at, at + state.rest);
        at += bytes.length;
        yield* this.#dataCame(state, bytes);
        continue;
      }
      const wanted = state.in === 'body' ? state.length : state.in === 'head' ? HEAD_SIZE : DATA_HEAD_SIZE;
      const part = chunk.subarray(at, at + wanted - this.#gathered);
      at += part.length;
      const whole = this.#gather(part, wanted);
      if (whole !== undefined) yield* this.#came(state, whole);
    }
  }

  *#came(state: Exclude<State, { in: 'data' }>, bytes: Uint8Array): Generator<Message> {
    this.#gathered = 0;
    this.#state = { in: 'head' };
    if (state.in === 'body') yield decodeBody(state.type, bytes);
    else if (state.in === 'head') yield* this.#headCame(bytes);
    else yield* this.#dataHeadCame(state.rest, bytes);
    // A large want leaves no large buffer behind on a stream that is silent from then on.
    if (this.#buffer.length > FIRST_BUFFER) this.#buffer = new Uint8Array(FIRST_BUFFER);
  }

  *#headCame(bytes: Uint8Array): Generator<Message> {
    const view = viewOf(bytes);
    const length = view.getUint32(0);
    const type = TYPE_NAMES.get(view.getUint8(4));
    if (type === undefined || !this.#expected.has(type)) throw badMessage(`a message of type ${view.getUint8(4)} is not for this side`);
    if (type === 'data') {
      const rest = length - 1 - DATA_HEAD_SIZE;
      if (rest < 0 || rest > MAX_PIECE) throw badMessage(`a piece of ${rest} bytes`);
      this.#state = { in: 'data head', rest };
    } else if (length - 1 > MAX_BODY || length < 1) throw badMessage(`a message of ${length} bytes`);
    else if (length === 1) yield decodeBody(type, new Uint8Array(0));
    else this.#state = { in: 'body', type, length: length - 1 };
  }

  *#dataHeadCame(rest: number, bytes: Uint8Array): Generator<Message> {
    const view = viewOf(bytes);
    const encoding = ENCODINGS[view.getUint8(4)];
    const [plain, length, at] = [view.getUint32(5), view.getUint32(9), view.getUint32(13)];
    if (encoding === undefined) throw badMessage('an encoding that was never agreed on');
    if (plain > (encoding === 'zstd+base' ? MAX_DELTA_CONTENT : MAX_ANSWER) || length > Math.min(plain, MAX_ANSWER)) throw badMessage(`an answer of ${length} bytes for ${plain}`);
    if (encoding === 'identity' ? length !== plain : length === 0) throw badMessage('an answer whose lengths do not fit');
    if (at + rest > length || (rest === 0 && length > 0)) throw badMessage('a piece outside of its answer');
    const data = { type: 'data' as const, number: view.getUint32(0), encoding, plain, length, at };
    if (rest === 0) yield { ...data, bytes: new Uint8Array(0) };
    else this.#state = { in: 'data', data, rest };
  }

  *#dataCame({ data, rest }: Extract<State, { in: 'data' }>, bytes: Uint8Array): Generator<Message> {
    this.#state = bytes.length === rest ? { in: 'head' } : { in: 'data', data: { ...data, at: data.at + bytes.length }, rest: rest - bytes.length };
    yield { ...data, bytes };
  }

  /** `wanted` bytes once they are here: where they lie, if they came at once. */
  #gather(part: Uint8Array, wanted: number): Uint8Array | undefined {
    if (part.length === wanted) return part;
    const needed = this.#gathered + part.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(wanted, Math.max(needed, 2 * this.#buffer.length)));
      larger.set(this.#buffer.subarray(0, this.#gathered));
      this.#buffer = larger;
    }
    this.#buffer.set(part, this.#gathered);
    this.#gathered = needed;
    return needed === wanted ? this.#buffer.subarray(0, wanted) : undefined;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
