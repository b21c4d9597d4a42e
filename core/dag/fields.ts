/** Reads fields of decoded, untrusted values: each is what it must be, or a `MossError` says where it is not. */
import { MossError, type ErrorCode } from '../error.ts';
import { asCid, checkCid, type Cid } from './cid.ts';

/** The most characters of a text, unless a field says otherwise. */
const MAX_TEXT = 64 * 1024;
/** The most items of a list, unless a field says otherwise. */
const MAX_LIST = 65_536;

export class Fields {
  readonly #value: Record<string, unknown>;
  readonly #code: ErrorCode;
  readonly #where: string;

  /** @throws MossError with `code` when the value is not a map */
  constructor(value: unknown, code: ErrorCode, where: string) {
    this.#code = code;
    this.#where = where;
    if (!isMap(value)) throw this.wrong('', 'a map');
    this.#value = value;
  }

  /** The error for a field that is not what it should be. */
  wrong(name: string, expected: string): MossError {
    const where = name === '' ? this.#where : `${this.#where}: ${name}`;
    return new MossError(this.#code, `${where} is not ${expected}`, { data: { field: name } });
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#value, name) && this.#value[name] !== null;
  }

  text(name: string, max = MAX_TEXT): string {
    const value = this.#own(name);
    if (typeof value !== 'string' || value.length > max) throw this.wrong(name, `a text of at most ${max} characters`);
    return value;
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.#own(name);
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.wrong(name, `one of ${choices.join(', ')}`);
    return found;
  }

  flag(name: string): boolean {
    const value = this.#own(name);
    if (typeof value !== 'boolean') throw this.wrong(name, 'true or false');
    return value;
  }

  int(name: string, min = 0, max = Number.MAX_SAFE_INTEGER): number {
    const value = this.#own(name);
    if (!isInt(value, min, max)) throw this.wrong(name, `a whole number from ${min} to ${max}`);
    return value;
  }

  bytes(name: string, max: number): Uint8Array {
    const value = this.#own(name);
    if (!(value instanceof Uint8Array) || value.length > max) throw this.wrong(name, `at most ${max} bytes`);
    return value;
  }

  cid(name: string): Cid {
    const cid = asCid(this.#own(name));
    if (cid === undefined) throw this.wrong(name, 'a link');
    checkCid(cid);
    return cid;
  }

  /** The link, or `undefined` when the field is something else. */
  link(name: string): Cid | undefined {
    const cid = asCid(this.#own(name));
    if (cid !== undefined) checkCid(cid);
    return cid;
  }

  map(name: string): Fields {
    return new Fields(this.#own(name), this.#code, `${this.#where}: ${name}`);
  }

  list(name: string, max = MAX_LIST): unknown[] {
    const value = this.#own(name);
    if (!Array.isArray(value) || value.length > max) throw this.wrong(name, `a list of at most ${max}`);
    return value;
  }

  texts(name: string, max = MAX_LIST): string[] {
    return this.list(name, max).map((item) => {
      if (typeof item !== 'string' || item.length > MAX_TEXT) throw this.wrong(name, 'a list of texts');
      return item;
    });
  }

  ints(name: string, min = 0, max = Number.MAX_SAFE_INTEGER, most = MAX_LIST): number[] {
    return this.list(name, most).map((item) => {
      if (!isInt(item, min, max)) throw this.wrong(name, `a list of whole numbers from ${min} to ${max}`);
      return item;
    });
  }

  cids(name: string, max = MAX_LIST): Cid[] {
    return this.list(name, max).map((item) => {
      const cid = asCid(item);
      if (cid === undefined) throw this.wrong(name, 'a list of links');
      checkCid(cid);
      return cid;
    });
  }

  /** A list of maps. */
  maps(name: string, max = MAX_LIST): Fields[] {
    return this.list(name, max).map((item, i) => new Fields(item, this.#code, `${this.#where}: ${name}[${i}]`));
  }

  /** The field as it is: for whoever checks it elsewhere. */
  value(name: string): unknown {
    return this.#own(name);
  }

  /** All fields as they are. */
  all(): Readonly<Record<string, unknown>> {
    return this.#value;
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#value, name) ? this.#value[name] : undefined;
  }
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && asCid(value) === undefined;
}

function isInt(value: unknown, min: number, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max;
}
