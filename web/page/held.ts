import type { HeldPackage } from '../../core/donate/status.ts';
import { element, Rows, setText } from '../ui/element.ts';
import type { PageWords } from './words.ts';

/** Rows before the rest is asked for. */
const FEW = 8;

/** What is held: the first of them, and all where they are asked for. */
export class HeldTable {
  readonly root: HTMLElement;
  readonly #words: PageWords;
  readonly #none: HTMLElement;
  readonly #table: HTMLElement;
  readonly #rows: Rows<HeldPackage>;
  readonly #more: HTMLButtonElement;
  #held: readonly HeldPackage[] = [];
  #all = false;

  constructor(words: PageWords) {
    this.#words = words;
    const body = element('tbody');
    this.#rows = new Rows(body, ({ name, version, architecture }) => [name, version, architecture].join('\n'), () => heldRow(words));
    const head = element('tr', {}, element('th', { scope: 'col' }, words.say('package')), element('th', { scope: 'col', class: 'number' }, words.say('size')));
    this.#table = element('table', {}, element('thead', {}, head), body);
    this.#none = element('p', { class: 'none' }, words.say('held.none'));
    this.#more = element('button', { type: 'button', class: 'plain' });
    this.#more.addEventListener('click', () => {
      this.#all = !this.#all;
      this.update(this.#held);
    });
    this.root = element('section', { class: 'card' }, element('h2', {}, words.say('held')), this.#none, this.#table, this.#more);
  }

  update(held: readonly HeldPackage[]): void {
    this.#held = held;
    this.#none.hidden = held.length > 0;
    this.#table.hidden = held.length === 0;
    this.#more.hidden = held.length <= FEW;
    setText(this.#more, this.#all ? this.#words.say('held.less') : this.#words.say('held.more', { count: this.#words.format.count(held.length) }));
    this.#rows.update(this.#all ? held : held.slice(0, FEW));
  }
}

function heldRow(words: PageWords): { row: Element; update: (held: HeldPackage) => void } {
  const [name, version] = [element('span', { class: 'package' }), element('span', { class: 'version' })];
  const size = element('td', { class: 'number' });
  return {
    row: element('tr', {}, element('td', {}, name, ' ', version), size),
    update: (held) => {
      setText(name, held.name);
      setText(version, `${held.version} ${held.architecture}`);
      const { format } = words;
      setText(size, held.held < held.bytes ? words.say('held.part', { held: format.bytes(held.held), bytes: format.bytes(held.bytes) }) : format.bytes(held.bytes));
    },
  };
}
