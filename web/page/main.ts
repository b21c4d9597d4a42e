/** The donate page. Until somebody agrees it fetches nothing beside itself, and keeps nothing. */
import { get, set } from 'idb-keyval';
import { DEFAULT_SETTINGS } from '../../core/donate/settings.ts';
import { loadEngine } from '../load-engine.ts';
import { element, setText } from '../ui/element.ts';
import { Volunteer, type VolunteerView } from '../volunteer.ts';
import { askView } from './ask.ts';
import { givingView, type GivingView } from './giving.ts';
import { RateHistory } from './plot.ts';
import { LANGUAGE_NAMES, pageLanguage, pageWords, type Language, type PageWords } from './words.ts';

/** Milliseconds between two pictures of the plot, while it can be seen. */
const TICK = 1000;
const LANGUAGE = 'moss-language';

/** The page lies on the site of the repository that it proposes, unless its address says another. */
function proposedRepository(): string {
  const asked = new URLSearchParams(location.search).get('repository');
  return asked ?? new URL('.', location.href).href.replace(/\/+$/, '');
}

class DonatePage {
  readonly #volunteer: Volunteer;
  readonly #history = new RateHistory();
  readonly #main: HTMLElement;
  #words: PageWords;
  #giving: GivingView | undefined;
  #shown: 'asking' | 'giving' | undefined;
  /** The first view is no change that the focus has to follow. */
  #isFirst = true;

  constructor(volunteer: Volunteer, main: HTMLElement, language: Language) {
    this.#volunteer = volunteer;
    this.#main = main;
    this.#words = pageWords(language);
    this.#show(language);
    volunteer.subscribe((view) => this.#update(view));
    setInterval(() => {
      if (!document.hidden) this.#giving?.tick(Date.now());
    }, TICK);
    this.#isFirst = false;
  }

  #update(view: VolunteerView): void {
    const wanted = view.phase === 'asking' ? 'asking' : 'giving';
    if (wanted !== this.#shown) this.#change(wanted);
    if (view.phase === 'asking') return;
    this.#history.add(Date.now(), view.status.rate);
    this.#giving?.update(view);
    this.#giving?.tick(Date.now());
  }

  #change(wanted: 'asking' | 'giving'): void {
    this.#shown = wanted;
    this.#giving = wanted === 'giving' ? givingView(this.#volunteer, this.#words, this.#history) : undefined;
    this.#main.replaceChildren(this.#giving?.root ?? askView(this.#volunteer, this.#words));
    // What had the focus is gone: it goes to the heading, so that a keyboard goes on from there.
    if (this.#isFirst) return;
    const heading = this.#main.querySelector('h1');
    heading?.setAttribute('tabindex', '-1');
    heading?.focus();
  }

  #show(language: Language): void {
    this.#words = pageWords(language);
    document.documentElement.lang = language;
    setText(required('about'), this.#words.say('about'));
    required('footer').replaceChildren(languageChoice(this.#words, language, (chosen) => this.#speak(chosen)));
  }

  #speak(language: Language): void {
    void set(LANGUAGE, language).catch(() => undefined);
    this.#show(language);
    this.#shown = undefined;
    this.#isFirst = true;
    this.#update(this.#volunteer.view);
    this.#isFirst = false;
    document.getElementById('language')?.focus();
  }
}

function languageChoice(words: PageWords, language: Language, choose: (language: Language) => void): HTMLElement {
  const names = Object.entries(LANGUAGE_NAMES);
  const select = element('select', { id: 'language' }, ...names.map(([code, name]) => element('option', { value: code, lang: code, selected: code === language }, name)));
  select.addEventListener('change', () => choose(pageLanguage([select.value])));
  return element('div', { class: 'row' }, element('label', { for: 'language' }, words.say('language')), select);
}

function required(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found;
}

const stored: unknown = await get(LANGUAGE).catch(() => undefined);
const volunteer = await Volunteer.open({
  loadEngine: () => loadEngine({}),
  proposed: { ...DEFAULT_SETTINGS, repository: proposedRepository() },
  bound: false,
});
void new DonatePage(volunteer, required('main'), pageLanguage(typeof stored === 'string' ? [stored] : navigator.languages));
