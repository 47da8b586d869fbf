import type { Node, NodeType } from 'prosemirror-model';
import type { letterEditorEn } from '../../src/web/texts/letter-editor';

/** The words and lists that the page gives to its editor. */
export interface Words {
  live: (typeof letterEditorEn)['live'];
  blocks: Record<string, string>;
  columnsOf: { two: string; three: string };
  levels: string[];
  networks: Record<string, string>;
  variables: { name: string; about: string }[];
}

export type BlockName = Pick<Node, 'type' | 'attrs' | 'childCount'>;

/** What a block is called: `Heading 2`, `Two columns`. */
export function nameOf({ type, attrs, childCount }: BlockName, words: Words): string {
  if (type.name === 'heading') return words.levels[Number(attrs.level) - 1] ?? '';
  if (type.name === 'columns') return childCount === 3 ? words.columnsOf.three : words.columnsOf.two;
  if (type.name === 'variable') return variableName(String(attrs.name), words);
  return kindName(type, words);
}

export const kindName = (type: NodeType, words: Words): string => words.blocks[type.name] ?? type.name;

export const variableName = (name: string, words: Words): string =>
  words.variables.find((variable) => variable.name === name)?.about ?? name;

export const isVariable = (name: string, { variables }: Words): boolean =>
  variables.some((variable) => variable.name === name);

export const fill = (text: string, block: string): string => text.replace('{block}', block);

/** Says what happened to those who listen to the page. */
export class Speaker {
  constructor(private readonly region: HTMLElement) {}

  say(text: string): void {
    // The same sentence once more is only read out if it has gone before.
    this.region.textContent = '';
    window.setTimeout(() => (this.region.textContent = text), 50);
  }
}
