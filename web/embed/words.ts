import germanElement from '../languages/de/element.json' with { type: 'json' };
import germanStatus from '../languages/de/status.json' with { type: 'json' };
import englishElement from '../languages/en/element.json' with { type: 'json' };
import englishStatus from '../languages/en/status.json' with { type: 'json' };
import type { StatusWord } from '../ui/status-line.ts';
import { chooseLanguage, wordsOf, type Words } from '../ui/words.ts';

export type ElementWord = keyof typeof englishElement | StatusWord;
export type ElementWords = Words<ElementWord>;

const ENGLISH = { ...englishElement, ...englishStatus };
const LANGUAGES = { en: ENGLISH, de: { ...germanElement, ...germanStatus } };

/** In the language of the part of the site that the element stands in, where that is known; else in the person's. */
export function elementWords(around: string | undefined): ElementWords {
  const language = chooseLanguage(around === undefined || around === '' ? navigator.languages : [around, ...navigator.languages], ['en', 'de'], 'en');
  return wordsOf<ElementWord>(language, LANGUAGES[language], ENGLISH);
}
