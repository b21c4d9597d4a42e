import type { Volunteer } from '../volunteer.ts';
import { element } from '../ui/element.ts';
import type { PageWords } from './words.ts';

/** Deleting everything: asked once more in place, since it cannot be taken back. */
export function deleteCard(volunteer: Volunteer, words: PageWords): HTMLElement {
  const ask = element('button', { type: 'button', class: 'danger' }, words.say('delete'));
  const yes = element('button', { type: 'button', class: 'danger' }, words.say('delete.yes'));
  const no = element('button', { type: 'button' }, words.say('delete.no'));
  const sure = element('div', { class: 'row', role: 'group', 'aria-label': words.say('delete.sure'), hidden: true }, element('span', {}, words.say('delete.sure')), yes, no);
  ask.addEventListener('click', () => {
    [ask.hidden, sure.hidden] = [true, false];
    no.focus();
  });
  no.addEventListener('click', () => {
    [ask.hidden, sure.hidden] = [false, true];
    ask.focus();
  });
  yes.addEventListener('click', () => {
    [yes.disabled, no.disabled] = [true, true];
    volunteer.deleteEverything().catch(() => {
      [yes.disabled, no.disabled] = [false, false];
    });
  });
  return element('section', { class: 'card quiet' }, element('p', {}, words.say('delete.hint')), ask, sure);
}
