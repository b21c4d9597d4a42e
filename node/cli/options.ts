/** Values of options, as the verbs need them. */
import { MossError } from '../../core/error.ts';

export function textOption(options: Record<string, unknown>, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws MossError `usage` */
export function numberOption(options: Record<string, unknown>, name: string): number | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new MossError('usage', `--${kebab(name)} takes a number, not ${JSON.stringify(text)}`);
  return value;
}

/** A list with commas. */
export function listOption(options: Record<string, unknown>, name: string): string[] | undefined {
  return textOption(options, name)?.split(',').map((item) => item.trim()).filter((item) => item !== '');
}

export function flagOption(options: Record<string, unknown>, name: string): boolean {
  return options[name] === true;
}

function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
