import type { DonorStatus } from '../../core/donate/status.ts';
import { mood, situation, statusLine, whyNot } from '../ui/status-line.ts';
import { element, setText } from '../ui/element.ts';
import type { Volunteer, VolunteerView } from '../volunteer.ts';
import { deleteCard } from './delete.ts';
import { HeldTable } from './held.ts';
import { limitsForm } from './limits-form.ts';
import { PeersTable } from './peers.ts';
import { RateHistory, RatePlot } from './plot.ts';
import type { PageWords } from './words.ts';

export interface GivingView {
  readonly root: HTMLElement;
  update(view: VolunteerView): void;
  /** The plot moves on, also while nothing changes. */
  tick(now: number): void;
}

/** What is given, to whom, and why not; and what the person may do about it. */
export function givingView(volunteer: Volunteer, words: PageWords, history: RateHistory): GivingView {
  const { format } = words;
  const line = element('h1', { class: 'line', tabindex: -1 });
  const sign = element('span', { class: 'sign', 'aria-hidden': 'true' });
  const spoken = element('p', { class: 'unseen', role: 'status' });
  const why = element('p', { class: 'why' });
  const source = element('p', { class: 'source' });
  const [rate, limit] = [element('span', { class: 'large' }), element('span', { class: 'of' })];
  const plot = new RatePlot(words);
  const pause = element('button', { type: 'button' });
  const stop = element('button', { type: 'button' }, words.say('stop'));
  const start = element('button', { type: 'button', class: 'primary' }, words.say('start'));
  const [given, month, stored] = [figure(words.say('given')), figure(words.say('given.month'), true), figure(words.say('stored'), true)];
  const [peers, held] = [new PeersTable(words), new HeldTable(words)];
  let last = '';

  pause.addEventListener('click', () => void volunteer.change({ paused: !volunteer.view.settings.paused }));
  stop.addEventListener('click', () => void volunteer.stop());
  start.addEventListener('click', () => void volunteer.start());

  const root = element(
    'div',
    { class: 'giving' },
    element('div', { class: 'heading' }, element('div', { class: 'line-row' }, sign, line), why, source, spoken),
    element('section', { class: 'card rate' }, element('div', { class: 'now' }, element('p', { class: 'label' }, words.say('now')), element('p', {}, rate, ' ', limit)), plot.root, element('div', { class: 'row actions' }, start, pause, stop)),
    element('div', { class: 'figures' }, given.root, month.root, stored.root),
    peers.root,
    held.root,
    limitsForm(volunteer, words),
    deleteCard(volunteer, words),
  );

  function update(view: VolunteerView): void {
    const { phase, status, settings } = view;
    setText(line, statusLine(view, words));
    setText(why, whyNot(view, words));
    sign.dataset['mood'] = mood(view);
    if (situation(view) !== last) {
      last = situation(view);
      setText(spoken, `${statusLine(view, words)} ${whyNot(view, words)}`.trim());
    }
    setText(source, sourceLine(status, settings.repository, words));
    source.title = status.repository?.fingerprint === undefined ? '' : `${words.say('fingerprint')}: ${status.repository.fingerprint}`;
    setText(rate, format.rate(status.rate));
    setText(limit, settings.rate > 0 ? words.say('of', { limit: format.rate(settings.rate) }) : words.say('unlimited'));
    given.show(format.bytes(status.given), words.many('given.helped', status.helped));
    month.show(format.bytes(status.month), settings.month > 0 ? words.say('of', { limit: format.bytes(settings.month) }) : words.say('unlimited'), settings.month > 0 ? status.month / settings.month : undefined);
    stored.show(format.bytes(status.stored), words.say('of', { limit: format.bytes(settings.quota) }), status.stored / settings.quota);
    const isOn = phase === 'running' || phase === 'starting';
    [start.hidden, pause.hidden, stop.hidden] = [isOn, !isOn, !isOn];
    setText(pause, words.say(settings.paused ? 'resume' : 'pause'));
    peers.update(status.peers);
    held.update(status.held);
  }

  return { root, update, tick: (now) => plot.update(history.samples, now, volunteer.view.settings.rate) };
}

function sourceLine({ repository }: DonorStatus, url: string, words: PageWords): string {
  if (repository === undefined) return url;
  return `${words.say('repository.of', { name: repository.name, revision: words.format.count(repository.revision) })} · ${url}`;
}

/** A number with its name, and how much of the limit it is. */
function figure(name: string, hasBar = false): { root: HTMLElement; show: (value: string, beside: string, part?: number) => void } {
  const [value, beside] = [element('span', { class: 'value' }), element('span', { class: 'of' })];
  // The text beside says the same in words.
  const bar = element('div', { class: 'bar', 'aria-hidden': 'true' }, element('div'));
  return {
    root: element('div', { class: 'card figure' }, element('p', { class: 'label' }, name), element('p', {}, value, ' ', beside), hasBar ? bar : undefined),
    show: (text, rest, part) => {
      setText(value, text);
      setText(beside, rest);
      bar.hidden = part === undefined;
      if (bar.firstElementChild instanceof HTMLElement) bar.firstElementChild.style.width = `${Math.min(100, 100 * (part ?? 0))}%`;
    },
  };
}
