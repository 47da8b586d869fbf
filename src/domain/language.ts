/** The languages of pages, notices, and of what is added to letters. */
export const languages = ['en', 'ru'] as const;
export type Language = (typeof languages)[number];

export const isLanguage = (text: unknown): text is Language => languages.some((language) => language === text);
