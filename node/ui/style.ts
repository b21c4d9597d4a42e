import type { WriteStream } from 'node:tty';

type Paint = (text: string) => string;

export interface Styles {
  bold: Paint;
  dim: Paint;
  red: Paint;
  green: Paint;
  yellow: Paint;
  blue: Paint;
}

const CODES: Record<keyof Styles, [number, number]> = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39] };

/** Colours where the stream shows them: not with NO_COLOR (no-color.org) or TERM=dumb, and only on a terminal. */
export function styles(stream: Pick<WriteStream, 'isTTY'>, environment: Record<string, string | undefined> = process.env): Styles {
  const forced = environment['FORCE_COLOR'] !== undefined && environment['FORCE_COLOR'] !== '0';
  const on = !environment['NO_COLOR'] && environment['TERM'] !== 'dumb' && (stream.isTTY || forced);
  const paint = ([open, close]: [number, number]): Paint => (on ? (text) => `\u001B[${open}m${text}\u001B[${close}m` : (text) => text);
  return {
    bold: paint(CODES.bold), dim: paint(CODES.dim), red: paint(CODES.red),
    green: paint(CODES.green), yellow: paint(CODES.yellow), blue: paint(CODES.blue),
  };
}
