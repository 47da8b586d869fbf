import { escapeHtml } from '../liquid';
import { LINK_VARIABLES, variableOfLink } from './links';

/**
 * Text that a person typed, for a template: no brace of it is Liquid's. It is a reference in HTML, and an output of
 * Liquid in text, but only where it could begin something.
 */
export const typedHtml = (text: string): string => escapeHtml(text).replaceAll('{', '&#123;');

export const typedText = (text: string): string => text.replace(/\{(?=[{%]|$)/g, '{{ "{" }}');

/** A template's text for HTML: what Liquid reads stays as it is. */
export const templateHtml = (template: string): string =>
  template
    .split(/(\{\{[^]*?\}\}|\{%[^]*?%\})/)
    .map((part, i) => (i % 2 === 1 ? part : escapeHtml(part)))
    .join('');

/** The template of a link: the values of its variables are encoded, so that they stay within the part they stand in. */
export function linkTemplate(href: string): string {
  const whole = variableOfLink(href);
  if (whole !== null) return `{{ ${whole} }}`;
  const query = href.search(/[?#]/);
  let template = '';
  let done = 0;
  for (const { index, 0: found, 1: name } of href.matchAll(LINK_VARIABLES)) {
    const filter = query >= 0 && index > query ? 'url_encode' : 'uri_escape';
    template += `${fixed(href.slice(done, index))}{{ ${name} | ${filter} }}`;
    done = index + found.length;
  }
  return template + fixed(href.slice(done));
}

const fixed = (part: string): string =>
  part.replace(/[{}\s]/g, (character) => encodeURIComponent(character)).replaceAll("'", '%27');
