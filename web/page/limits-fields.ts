import { LEAST_QUOTA, type DonorSettings } from '../../core/donate/settings.ts';
import { element } from '../ui/element.ts';
import type { PageWord, PageWords } from './words.ts';

/** A number with its unit: people write 1.5, and settings have bytes. */
interface Amount {
  readonly name: 'rate' | 'month' | 'quota';
  readonly unit: string;
  readonly bytes: number;
  readonly step: string;
  readonly least: number;
}

const AMOUNTS: readonly Amount[] = [
  { name: 'rate', unit: 'MB/s', bytes: 1e6, step: '0.1', least: 0 },
  { name: 'month', unit: 'GB', bytes: 1e9, step: '1', least: 0 },
  { name: 'quota', unit: 'MB', bytes: 1e6, step: '10', least: Math.ceil(LEAST_QUOTA / 1e6) },
];

export type Limits = Pick<DonorSettings, 'rate' | 'month' | 'quota'>;

/** The fields of the limits that are numbers: to agree to, and to change later. */
export class LimitsFields {
  readonly root: HTMLElement;
  readonly #inputs = new Map<Amount, HTMLInputElement>();

  constructor(words: PageWords, settings: DonorSettings) {
    this.root = element('div', { class: 'limits-fields' }, ...AMOUNTS.map((amount) => this.#field(words, amount, settings[amount.name])));
  }

  read(): Limits {
    const limits: Record<Amount['name'], number> = { rate: 0, month: 0, quota: 0 };
    for (const [{ name, bytes, least }, input] of this.#inputs) limits[name] = Math.round(Math.max(least, Number(input.value) || 0) * bytes);
    return limits;
  }

  #field(words: PageWords, amount: Amount, value: number): HTMLElement {
    const { name, unit, bytes, step, least } = amount;
    const input = element('input', { type: 'number', name, id: `limit-${name}`, min: least, step: 'any', inputmode: 'decimal', value: Number((value / bytes).toFixed(3)), 'data-step': step, 'aria-describedby': `hint-${name}` });
    this.#inputs.set(amount, input);
    const hint = element('span', { class: 'unit', id: `hint-${name}` }, least === 0 ? `${unit}, ${words.say('zero')}` : unit);
    return element('div', { class: 'field' }, element('label', { for: `limit-${name}` }, words.say(name satisfies PageWord)), input, hint);
  }
}
