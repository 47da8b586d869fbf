import type { LetterPart, ReadLetter } from './read-letter';

/** Where clues to our letter may stand: headers, texts, and what is enclosed. */
export function cluesIn(letters: ReadLetter[]): string {
  const pieces: string[] = [];
  for (const { headers, text, parts } of letters) {
    const lines = [...headers].flatMap(([name, values]) => values.map((value) => `${name}: ${value}`));
    pieces.push(lines.join('\n').slice(0, 32_000), ...parts.slice(0, 20).map(partClues), text.slice(0, 64_000));
  }
  return pieces.join('\n');
}

const partClues = ({ type, text }: LetterPart): string =>
  /^(?:message|text)\//.test(type) ? text.slice(0, 64_000) : '';
