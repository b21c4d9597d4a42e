import type { DonorPeer } from '../../core/donate/status.ts';
import { element, Rows, setText } from '../ui/element.ts';
import type { PageWords } from './words.ts';

/** Who is connected: as many as the connections that a tab has, so all of them. */
export class PeersTable {
  readonly root: HTMLElement;
  readonly #none: HTMLElement;
  readonly #table: HTMLElement;
  readonly #rows: Rows<DonorPeer>;

  constructor(words: PageWords) {
    const body = element('tbody');
    this.#rows = new Rows(body, ({ id }) => id, () => peerRow(words));
    const head = (['peer', 'sent', 'received'] as const).map((name) => element('th', { scope: 'col', class: name === 'peer' ? undefined : 'number' }, words.say(name)));
    this.#table = element('table', {}, element('thead', {}, element('tr', {}, ...head)), body);
    this.#none = element('p', { class: 'none' }, words.say('peers.none'));
    this.root = element('section', { class: 'card' }, element('h2', {}, words.say('peers')), this.#none, this.#table);
  }

  update(peers: readonly DonorPeer[]): void {
    this.#none.hidden = peers.length > 0;
    this.#table.hidden = peers.length === 0;
    this.#rows.update(peers);
  }
}

function peerRow(words: PageWords): { row: Element; update: (peer: DonorPeer) => void } {
  const [id, how] = [element('span', { class: 'id' }), element('span', { class: 'how' })];
  const [sent, received] = [element('td', { class: 'number' }), element('td', { class: 'number' })];
  return {
    row: element('tr', {}, element('td', {}, id, ' ', how), sent, received),
    update: (peer) => {
      // The end of a peer id is what differs.
      setText(id, peer.id.length > 12 ? `…${peer.id.slice(-8)}` : peer.id);
      id.title = peer.id;
      setText(how, `${peer.transport}, ${words.say(`direction.${peer.direction === 'inbound' ? 'inbound' : 'outbound'}`)}`);
      setText(sent, words.format.bytes(peer.sent));
      setText(received, words.format.bytes(peer.received));
    },
  };
}
