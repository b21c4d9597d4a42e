/** Elements with their attributes and children. Text is only ever set as text: what it says is never read as markup. */
type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;
type Child = Node | string | undefined;

/** @param attributes `true` for one without a value; `false` and `undefined` are left out */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  return filled(document.createElement(tag), attributes, children);
}

export function drawing<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  return filled(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

/** Sets the text only where it is another: else a screen reader would read it again. */
export function setText(node: Element, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * One row for each item, in order; a row stays the same element while its key is there.
 *
 * @param make a row for a new item, as a function that brings it up to date
 */
export class Rows<T> {
  readonly #parent: Element;
  readonly #keyOf: (item: T) => string;
  readonly #make: () => { row: Element; update: (item: T) => void };
  readonly #rows = new Map<string, { row: Element; update: (item: T) => void }>();

  constructor(parent: Element, keyOf: (item: T) => string, make: () => { row: Element; update: (item: T) => void }) {
    this.#parent = parent;
    this.#keyOf = keyOf;
    this.#make = make;
  }

  update(items: readonly T[]): void {
    const keys = new Set(items.map(this.#keyOf));
    for (const [key, { row }] of this.#rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    let before: Element | null = this.#parent.firstElementChild;
    for (const item of items) {
      const key = this.#keyOf(item);
      const entry = this.#rows.get(key) ?? this.#make();
      this.#rows.set(key, entry);
      entry.update(item);
      if (entry.row === before) before = before.nextElementSibling;
      else this.#parent.insertBefore(entry.row, before);
    }
  }
}

function filled<E extends Element>(made: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, '');
    else if (value !== undefined && value !== false) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}
