import { readable, readableOn } from './colours';

/** What a sender's letters look like. */
export interface Brand {
  /** `media:<hash>`, or null. */
  logo: string | null;
  /** Of buttons and links. */
  accent: string;
  /** Around the letter. */
  background: string;
  font: FontName;
}

/** Fonts that every program has: nothing is loaded for a letter. */
export const FONTS = {
  sans: "Arial, 'Helvetica Neue', Helvetica, sans-serif",
  verdana: 'Verdana, Geneva, sans-serif',
  trebuchet: "'Trebuchet MS', Tahoma, sans-serif",
  georgia: "Georgia, 'Times New Roman', serif",
  times: "'Times New Roman', Times, serif",
} as const;

export type FontName = keyof typeof FONTS;

export const DEFAULT_BRAND: Brand = { logo: null, accent: '#0f766e', background: '#eef1f4', font: 'sans' };

/** The colours of a letter, by day and in the dark: what stands on each other can be read. */
export interface Palette {
  page: string;
  card: string;
  text: string;
  muted: string;
  line: string;
  link: string;
}

export interface Look {
  light: Palette;
  dark: Palette;
  button: { background: string; text: string };
  font: string;
}

const LIGHT = { card: '#ffffff', text: '#1f2933', muted: '#5b6672', line: '#dde2e7' };
const DARK = { page: '#14171a', card: '#1e2327', text: '#e7ebee', muted: '#aab4bd', line: '#3a424a' };

export const lookOf = ({ accent, background, font }: Brand): Look => ({
  light: { ...LIGHT, page: background, link: readable(accent, LIGHT.card) },
  dark: { ...DARK, link: readable(accent, DARK.card) },
  button: { background: accent, text: readableOn(accent) },
  font: FONTS[font],
});
