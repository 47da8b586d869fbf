/**
 * A subject as the title of a thing: what stands in for people's data is shown as "…", and what only steers the
 * template is left out. `Hello, {{ client.fullName }}!` → `Hello, …!`. Never longer than the subject; may be empty.
 */
export const subjectTitle = (subject: string): string =>
  subject
    .replace(/\{\{[^]*?\}\}/g, '…')
    .replace(/\{%[^]*?%\}/g, '')
    .replace(/\s+/g, ' ')
    .replace(/…(?: ?…)+/g, '…')
    .trim();
