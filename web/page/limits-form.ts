import type { DonorSettings, Hours } from '../../core/donate/settings.ts';
import type { Volunteer } from '../volunteer.ts';
import { element, setText } from '../ui/element.ts';
import { LimitsFields } from './limits-fields.ts';
import type { PageWords } from './words.ts';

const MINUTE = 60_000;
/** Minutes for which a hidden tab may go on; -1 for always. */
const HIDDEN = [-1, 0, 10, 60, 240];

/** Limits that may be changed while it gives; they hold at once. */
export function limitsForm(volunteer: Volunteer, words: PageWords): HTMLElement {
  const { settings } = volunteer.view;
  const numbers = new LimitsFields(words, settings);
  const hidden = hiddenChoice(words, settings.hidden);
  const hours = hoursChoice(words, settings.hours);
  const saved = element('span', { class: 'saved', role: 'status' });
  const form = element(
    'form',
    { novalidate: true },
    numbers.root,
    element('div', { class: 'field wide' }, element('label', { for: 'hidden' }, words.say('hidden')), hidden),
    hours.root,
    element('div', { class: 'row' }, element('button', { type: 'submit' }, words.say('limits.save')), saved),
  );
  form.addEventListener('input', () => setText(saved, ''));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const minutes = Number(hidden.value);
    const changes = { ...numbers.read(), hidden: minutes < 0 ? -1 : minutes * MINUTE, hours: hours.read() };
    volunteer.change(changes).then(
      () => setText(saved, words.say('limits.saved')),
      () => setText(saved, ''),
    );
  });
  return element('section', { class: 'card' }, element('h2', {}, words.say('limits')), form);
}

function hiddenChoice(words: PageWords, now: DonorSettings['hidden']): HTMLSelectElement {
  const chosen = now < 0 ? -1 : Math.round(now / MINUTE);
  const all = HIDDEN.includes(chosen) ? HIDDEN : [...HIDDEN, chosen];
  const option = (minutes: number): HTMLElement => {
    const text = minutes < 0 ? words.say('hidden.always') : minutes === 0 ? words.say('hidden.never') : words.say('hidden.minutes', { count: words.format.count(minutes) });
    return element('option', { value: minutes, selected: minutes === chosen }, text);
  };
  return element('select', { id: 'hidden', name: 'hidden' }, ...all.map(option));
}

function hoursChoice(words: PageWords, now: Hours | undefined): { root: HTMLElement; read: () => Hours | undefined } {
  const only = element('input', { type: 'checkbox', id: 'hours', checked: now !== undefined });
  const from = element('input', { type: 'time', id: 'from', value: clock(now?.from ?? 22 * 60) });
  const to = element('input', { type: 'time', id: 'to', value: clock(now?.to ?? 6 * 60) });
  const times = element('div', { class: 'row times' }, element('label', { for: 'from' }, words.say('hours.from')), from, element('label', { for: 'to' }, words.say('hours.to')), to);
  const show = (): void => {
    times.hidden = !only.checked;
  };
  only.addEventListener('change', show);
  show();
  return {
    root: element('div', { class: 'field wide' }, element('div', { class: 'row check' }, only, element('label', { for: 'hours' }, words.say('hours'))), times),
    read: () => (only.checked ? { from: minutesOf(from.value), to: minutesOf(to.value) } : undefined),
  };
}

function clock(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return 60 * (hours || 0) + (minutes || 0);
}
