/** The letter of all benchmarks: about 3 KB of personalised HTML and text once composed. */
const sentence = 'The new season begins on Monday, and your seat by the window is kept for you until the evening. ';

const paragraphs = (n, open, close) =>
  Array.from({ length: n }, () => `${open}${sentence.repeat(2).trim()}${close}`).join('\n');

export const subject = 'News for {{ client.fullName }}';
export const html = `<html><body style="font-family: sans-serif"><h1>Good morning, {{ client.fullName }}!</h1>
${paragraphs(6, '<p style="margin: 0 0 1em 0; line-height: 1.5">', '</p>')}
<p>You get this letter at <b>{{ client.email }}</b> &mdash; see <a href="https://example.org/news?for={{ client.email }}">our page</a>.</p>
</body></html>`;
export const text = `Good morning, {{ client.fullName }}!\n\n${paragraphs(4, '', '\n')}\nYou get this letter at {{ client.email }} - see https://example.org/news\n`;

/** What a hand-written loop does: fill the places, nothing else. */
export const fill = (template, client) =>
  template.replaceAll('{{ client.fullName }}', client.fullName).replaceAll('{{ client.email }}', client.email);

export const clientOf = (n) => ({ email: `client-${n}@example.net`, fullName: `Client Number ${n}` });
