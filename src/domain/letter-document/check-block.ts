import { type CodedProblem, problem } from '../problems';
import { isRecord } from './is-record';
import { LIST_DEPTH } from './limits';
import { isLink, isPictureSource } from './links';
import { letterSchema } from './schema';

/** Nodes that are part of a line, and the document itself: they do not count as blocks, nor do marks. */
export const NOT_BLOCKS = new Set(['doc', 'text', 'hard_break', 'variable', 'link', 'strong', 'em']);

/**
 * What is wrong with a block, in words that its author understands; the rest is found by ProseMirror's own check.
 * @param block its number, from 1
 */
export function blockProblem(json: unknown, block: number): CodedProblem | null {
  return nodeProblem(json, block, 0);
}

function nodeProblem(json: unknown, block: number, lists: number): CodedProblem | null {
  const wrong = (fault: 'content' | 'link' | 'no_link' | 'no_text' | 'picture' | 'lists', text?: string) =>
    problem('document_block', { block, fault, ...(text !== undefined && { text }) });
  if (!isRecord(json) || typeof json.type !== 'string') return wrong('content');
  if (!Object.hasOwn(letterSchema.nodes, json.type))
    return problem('document_block', { block, fault: 'type', text: json.type });
  const attrs = isRecord(json.attrs) ? json.attrs : {};
  const content = Array.isArray(json.content) ? (json.content as unknown[]) : [];
  switch (json.type) {
    case 'picture':
      if (typeof attrs.src !== 'string' || !isPictureSource(attrs.src)) return wrong('picture', shown(attrs.src));
      if (attrs.href && !isTarget(attrs.href)) return wrong('link', shown(attrs.href));
      break;
    case 'button':
      if (attrs.href === undefined || attrs.href === '') return wrong('no_link');
      if (!isTarget(attrs.href)) return wrong('link', shown(attrs.href));
      if (!content.some(saysSomething)) return wrong('no_text');
      break;
    case 'social':
      for (const link of Array.isArray(attrs.links) ? (attrs.links as unknown[]) : []) {
        const url = isRecord(link) ? link.url : undefined;
        if (url === '') return wrong('no_link');
        if (!isTarget(url)) return wrong('link', shown(url));
      }
      break;
    case 'bullet_list':
    case 'ordered_list':
      if (lists >= LIST_DEPTH) return wrong('lists');
      break;
  }
  for (const mark of Array.isArray(json.marks) ? (json.marks as unknown[]) : []) {
    const href = isRecord(mark) && mark.type === 'link' && isRecord(mark.attrs) ? mark.attrs.href : null;
    if (href !== null && !isTarget(href)) return wrong('link', shown(href));
  }
  const depth = lists + (json.type === 'bullet_list' || json.type === 'ordered_list' ? 1 : 0);
  for (const child of content) {
    const found = nodeProblem(child, block, depth);
    if (found) return found;
  }
  return null;
}

const isTarget = (href: unknown): boolean => typeof href === 'string' && isLink(href);

const shown = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 200) : '');

const saysSomething = (json: unknown): boolean =>
  isRecord(json) && (json.type === 'variable' || (typeof json.text === 'string' && json.text.trim() !== ''));
