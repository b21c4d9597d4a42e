import { MossError } from '../../core/error.ts';
import { repositoryUrl } from '../../core/donate/settings.ts';
import type { Volunteer } from '../volunteer.ts';
import { element, setText } from '../ui/element.ts';
import { LimitsFields } from './limits-fields.ts';
import type { PageWords } from './words.ts';

/** What is said, and asked, before anything happens. */
export function askView(volunteer: Volunteer, words: PageWords): HTMLElement {
  const { settings } = volunteer.view;
  const wrong = element('p', { class: 'wrong', id: 'repository-wrong', role: 'alert' });
  const repository = element('input', {
    type: 'url',
    id: 'repository',
    name: 'repository',
    required: true,
    value: settings.repository,
    autocomplete: 'url',
    spellcheck: 'false',
    'aria-describedby': 'repository-hint repository-wrong',
  });
  const limits = new LimitsFields(words, settings);
  const form = element(
    'form',
    { class: 'ask card', novalidate: true },
    element('div', { class: 'field wide' }, element('label', { for: 'repository' }, words.say('repository')), repository, element('span', { class: 'unit', id: 'repository-hint' }, words.say('repository.hint')), wrong),
    limits.root,
    element('button', { type: 'submit', class: 'primary' }, words.say('agree')),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    let url: string;
    try {
      url = repositoryUrl(repository.value.trim());
    } catch (error) {
      if (!(error instanceof MossError)) throw error;
      setText(wrong, words.say('repository.bad'));
      repository.setAttribute('aria-invalid', 'true');
      repository.focus();
      return;
    }
    void volunteer.agree({ ...settings, ...limits.read(), repository: url, paused: false });
  });
  return element(
    'div',
    { class: 'asking' },
    element('div', { class: 'hero' }, element('h1', {}, words.say('title')), element('p', { class: 'lead' }, words.say('lead'))),
    form,
    element(
      'section',
      { class: 'what' },
      element('h2', {}, words.say('what')),
      element('ul', {}, ...(['what.keep', 'what.give', 'what.leave'] as const).map((name) => element('li', {}, words.say(name)))),
    ),
    element(
      'section',
      { class: 'what' },
      element('h2', { id: 'install' }, words.say('install')),
      element('pre', { tabindex: 0, 'aria-labelledby': 'install', role: 'region' }, `moss repo add NAME ${settings.repository}\nmoss install PACKAGE`),
    ),
  );
}
