import { element, setText } from '../ui/element.ts';
import { mood, situation, statusLine, whyNot } from '../ui/status-line.ts';
import type { Volunteer, VolunteerView } from '../volunteer.ts';
import type { ElementWords } from './words.ts';

export interface Panel {
  readonly root: HTMLElement;
  update(view: VolunteerView): void;
}

/** What is asked before anything is fetched, and what is told afterwards: in a box that keeps its size. */
export function panelOf(volunteer: Volunteer, words: ElementWords): Panel {
  const [asking, giving] = [askingPart(volunteer, words), givingPart(volunteer, words)];
  const root = element('div', { class: 'root' }, asking, giving.root);
  let wasAsking = true;
  return {
    root,
    update: (view) => {
      const isAsking = view.phase === 'asking';
      [asking.hidden, giving.root.hidden] = [!isAsking, isAsking];
      giving.update(view);
      if (isAsking !== wasAsking && root.getRootNode() instanceof ShadowRoot) moveFocus(root);
      wasAsking = isAsking;
    },
  };
}

function askingPart(volunteer: Volunteer, words: ElementWords): HTMLElement {
  const { format } = words;
  const { settings } = volunteer.view;
  const text = words.say('ask', {
    quota: format.bytes(settings.quota),
    repository: new URL(settings.repository).host,
    rate: settings.rate > 0 ? format.rate(settings.rate) : words.say('rate.any'),
    month: settings.month > 0 ? words.say('month', { bytes: format.bytes(settings.month) }) : words.say('month.any'),
  });
  const agree = element('button', { type: 'button', class: 'primary' }, words.say('agree'));
  agree.addEventListener('click', () => void volunteer.agree(volunteer.view.settings));
  return element(
    'div',
    { class: 'panel' },
    element('p', { class: 'title' }, words.say('title')),
    element('p', {}, text),
    element('p', { class: 'soft' }, words.say('site', { site: location.host })),
    element('div', { class: 'row' }, agree),
  );
}

function givingPart(volunteer: Volunteer, words: ElementWords): Panel {
  const { format } = words;
  const sign = element('span', { class: 'sign', 'aria-hidden': 'true' });
  const line = element('span');
  const spoken = element('p', { class: 'unseen', role: 'status' });
  const why = element('p', { class: 'why' });
  const [rate, given] = [element('p', { class: 'large' }), element('p', { class: 'soft' })];
  const start = button(() => volunteer.start(), words.say('start'), 'primary');
  const pause = button(() => volunteer.change({ paused: !volunteer.view.settings.paused }));
  const stop = button(() => volunteer.stop(), words.say('stop'));
  const erase = button(() => volunteer.deleteEverything(), words.say('delete'));
  let last = '';
  return {
    root: element(
      'div',
      { class: 'panel' },
      element('p', { class: 'title', tabindex: -1 }, sign, line),
      spoken,
      why,
      rate,
      given,
      element('p', { class: 'soft' }, words.say('agreed', { site: location.host })),
      element('div', { class: 'row' }, start, pause, stop, erase),
    ),
    update: (view) => {
      const { phase, status, settings } = view;
      setText(line, statusLine(view, words));
      setText(why, whyNot(view, words));
      why.title = why.textContent ?? '';
      sign.dataset['mood'] = mood(view);
      if (phase !== 'asking' && situation(view) !== last) {
        last = situation(view);
        setText(spoken, `${statusLine(view, words)} ${whyNot(view, words)}`.trim());
      }
      setText(rate, words.say('rate', { rate: format.rate(status.rate), limit: settings.rate > 0 ? format.rate(settings.rate) : words.say('unlimited') }));
      setText(given, words.say('given', { given: format.bytes(status.given), count: format.count(status.helped) }));
      const isOn = phase === 'running' || phase === 'starting';
      [start.hidden, pause.hidden, stop.hidden, erase.hidden] = [isOn, !isOn, !isOn, isOn];
      setText(pause, words.say(settings.paused ? 'resume' : 'pause'));
    },
  };
}

function button(act: () => unknown, text = '', kind = ''): HTMLButtonElement {
  const made = element('button', { type: 'button', class: kind }, text);
  made.addEventListener('click', () => void act());
  return made;
}

/** What had the focus is gone: it goes to what stands in its place. */
function moveFocus(root: HTMLElement): void {
  const { activeElement } = root.getRootNode() as ShadowRoot;
  if (activeElement === null && document.activeElement !== (root.getRootNode() as ShadowRoot).host) return;
  root.querySelector<HTMLElement>(':scope > :not([hidden]) :is(.title[tabindex], button)')?.focus();
}
