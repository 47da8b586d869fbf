import { at, type CodedProblem, type FieldProblem, problem } from '../problems';
import { COLOUR, contrast } from './colours';
import { isPictureSource } from './links';
import { FONTS, isFont } from './theme';

/** What a button needs, to be seen on the letter (WCAG 2.2, 1.4.11). */
const SEEN = 3;

interface Given {
  logo: string;
  accent: string;
  background: string;
  font: string;
}

/** What is wrong with a sender's brand; each part may be empty. Colours of texts are made readable by `lookOf`. */
export const brandProblems = ({ logo, accent, background, font }: Given): FieldProblem[] => [
  ...at('logo', logo === '' || isPictureSource(logo) ? null : problem('picture_source')),
  ...at('accent', accentProblem(accent)),
  ...at('background', background === '' || COLOUR.test(background) ? null : problem('colour')),
  ...at('font', font === '' || isFont(font) ? null : problem('one_of', { options: Object.keys(FONTS) })),
];

function accentProblem(accent: string): CodedProblem | null {
  if (accent === '') return null;
  if (!COLOUR.test(accent)) return problem('colour');
  const found = contrast(accent, '#ffffff');
  return found < SEEN ? problem('colour_faint', { contrast: Math.floor(found * 10) / 10, min: SEEN }) : null;
}
