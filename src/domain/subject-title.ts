/**
 * A subject as the title of a thing: what stands in for people's data is shown as "…", and what only steers the
 * template is left out. `Hello, {{ client.fullName }}!` → `Hello, …!`. Never longer than the subject; may be empty. Where
 * something was left out, its neighbours may look like another placeholder: then it is done again.
 */
export function subjectTitle(subject: string): string {
  const title = subject
    .replace(/\{\{[^]*?\}\}/g, '…')
    .replace(/\{%[^]*?%\}/g, '')
    .replace(/\s+/g, ' ')
    .replace(/…(?: ?…)+/g, '…')
    .trim();
  return title === subject ? title : subjectTitle(title);
}
