import germanPage from '../languages/de/page.json' with { type: 'json' };
import germanStatus from '../languages/de/status.json' with { type: 'json' };
import englishPage from '../languages/en/page.json' with { type: 'json' };
import englishStatus from '../languages/en/status.json' with { type: 'json' };
import type { StatusWord } from '../ui/status-line.ts';
import { chooseLanguage, wordsOf, type Words } from '../ui/words.ts';

export type PageWord = keyof typeof englishPage | StatusWord;
export type PageWords = Words<PageWord>;

const ENGLISH = { ...englishPage, ...englishStatus };
/** A new language is a directory in `languages/`, and a line here. */
const LANGUAGES = { en: ENGLISH, de: { ...germanPage, ...germanStatus } };

export type Language = keyof typeof LANGUAGES;
/** What each language calls itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', de: 'Deutsch' };

export function pageLanguage(wanted: readonly string[]): Language {
  return chooseLanguage(wanted, ['en', 'de'], 'en');
}

export function pageWords(language: Language): PageWords {
  return wordsOf<PageWord>(language, LANGUAGES[language], ENGLISH);
}
