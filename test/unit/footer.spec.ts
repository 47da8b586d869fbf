import fc from 'fast-check';
import { reasonText } from '../../src/domain/footer';
import type { Language } from '../../src/domain/language';
import { compileContent, type ContentSource, type LetterData } from '../../src/domain/template';

const DATA: LetterData = {
  client: { fullName: 'Ann', email: 'ann@example.org', comment: '' },
  mailing: { name: 'News' },
  sender: { name: 'Example & Co', email: 'news@example.com' },
  date: '2027-03-31T09:00:00Z',
  unsubscribeUrl: 'https://news.example.com/u/AbC_-123',
  senderAddress: 'High Street 1, "Old" Town & <Sons>',
  footerText: reasonText('en', 'Example & Co'),
};
const SHOWN = { url: DATA.unsubscribeUrl!, address: DATA.senderAddress! };

function render(source: Partial<ContentSource>, footer?: Language, data: Partial<LetterData> = {}) {
  const compiled = compileContent({ subject: 's', body: '<p>Hello</p>', ...source }, footer);
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
  return compiled.content.render({ ...DATA, ...data });
}
const count = (text: string, part: string) => text.split(part).length - 1;

describe('a letter without the variables', () => {
  it('gets the footer in HTML and in the text made from it', () => {
    const { html, text } = render({ body: '<html><body><p>Hello</p></BODY></html>' }, 'en');
    expect(html).toMatch(
      /^<html><body><p>Hello<\/p><div .*<a href="https:\/\/news\.example\.com\/u\/AbC_-123".*<\/div><\/BODY><\/html>$/s,
    );
    expect(html).toContain('High Street 1, &#34;Old&#34; Town &amp; &lt;Sons&gt;');
    expect(text).toContain('You get this letter because your address is on the mailing list of Example & Co.');
    expect(text).toContain(SHOWN.address);
    expect(count(text, SHOWN.url)).toBe(1);
  });

  it('gets it in a text of its own, too', () => {
    const { text } = render({ bodyText: 'Hello {{ client.fullName }}' }, 'en');
    const lines = ['Hello Ann', '', '---', DATA.footerText, SHOWN.address, `Unsubscribe: ${SHOWN.url}`, ''];
    expect(text.split('\r\n')).toEqual(lines);
  });

  it('gets it in its language', () => {
    const { html, text } = render({ bodyText: 'Привет' }, 'ru', { footerText: reasonText('ru', 'Пример') });
    expect(html).toContain('>Отписаться</a>');
    expect(text).toContain('Вы получили это письмо, потому что ваш адрес есть в списке рассылки: Пример.');
    expect(text).toContain(`Отписаться: ${SHOWN.url}`);
  });

  it('gets none where none is wanted', () => {
    expect(render({}).html).toBe('<p>Hello</p>');
  });
});

describe('what the author wrote', () => {
  const own = '<a href="{{ unsubscribeUrl }}">out</a> {{ senderAddress }}';

  it('is left as it is where it has both', () => {
    expect(render({ body: own }, 'en').html).toBe(render({ body: own }).html);
  });

  it('gets what it lacks, HTML and text each by itself', () => {
    const link = render({ body: '<a href="{{ unsubscribeUrl }}">out</a>', bodyText: own }, 'en');
    expect(count(link.html, SHOWN.url)).toBe(1);
    expect(link.html).toContain('High Street 1');
    expect(link.html).not.toContain('You get this letter');
    expect(link.text).toBe(render({ body: own, bodyText: own }).text);

    const address = render({ body: own, bodyText: '{{ senderAddress }}' }, 'en');
    expect(address.html).toBe(render({ body: own }).html);
    expect(count(address.text, SHOWN.address)).toBe(1);
    expect(count(address.text, SHOWN.url)).toBe(1);
  });

  it.each([
    ['in a comment of HTML', '<!-- {{ unsubscribeUrl }} --><p>a</p>'],
    ['in a comment of the template', '{% comment %}{{ unsubscribeUrl }}{% endcomment %}<p>a</p>'],
    ['in a style', '<style>a { background: url({{ unsubscribeUrl }}) }</style><p>a</p>'],
    ['behind a condition', '{% if client.comment == "vip" %}{{ unsubscribeUrl }}{% endif %}<p>a</p>'],
    ['for some only', '{% if client.fullName != "" %}{{ unsubscribeUrl }}{% endif %}<p>a</p>'],
    ['as an assigned value only', '{% assign link = unsubscribeUrl %}<p>a</p>'],
  ])('does not count %s', (_, body) => {
    expect(render({ body }, 'en').html).toMatch(/<a href="https:[^"]*" style="[^"]*">Unsubscribe<\/a>/);
  });

  it.each([
    ['a comment', '<p>a</p><!-- '],
    ['a style', '<p>a</p><style>'],
    ['a title', '<p>a</p><title>'],
  ])('may not hide the footer in %s that is left open', (_, body) => {
    const compiled = compileContent({ subject: 's', body }, 'en');
    expect(compiled).toEqual({ ok: false, errors: [{ field: 'body', code: 'footer_hidden', values: {} }] });
    expect(compileContent({ subject: 's', body }).ok).toBe(true);
  });

  it('may not name what only the footer says', () => {
    expect(compileContent({ subject: 's', body: '{{ footerText }}' }, 'en').ok).toBe(false);
    expect(compileContent({ subject: 's', body: '{{ footerText }}' }).ok).toBe(false);
  });

  it('may be as long as ever', () => {
    const long = 'a'.repeat(200_000);
    expect(render({ body: long, bodyText: long }, 'ru').text).toContain(SHOWN.url);
    expect(compileContent({ subject: 's', body: `${long}a` }, 'ru').ok).toBe(false);
  });
});

it('whatever the letter is, its HTML and its text show the way out, or it is refused', () => {
  const piece = fc.constantFrom(
    '<p>',
    '</p>',
    '<body>',
    '</body>',
    '</html>',
    '<!--',
    '-->',
    '<style>',
    '</style>',
    'text ',
    '{{ client.fullName }}',
    '{% if client.comment %}',
    '{% endif %}',
    '{{ unsubscribeUrl }}',
    '<a href="{{ unsubscribeUrl }}">',
    '</a>',
    '<div hidden>',
    '{% raw %}',
    '{% endraw %}',
    '<textarea>',
    '</textarea>',
    '"',
    '<',
    '>',
    '{{ senderAddress }}',
  );
  const body = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
  fc.assert(
    fc.property(body, fc.option(body), fc.constantFrom('', 'Ann'), (html, text, name) => {
      const source = { subject: 's', body: html, bodyText: text };
      if (!compileContent(source).ok) return;
      const compiled = compileContent(source, 'en');
      if (!compiled.ok) return;
      const letter = compiled.content.render({ ...DATA, client: { ...DATA.client, fullName: name, comment: name } });
      expect(letter.html).toContain(SHOWN.url);
      expect(letter.text).toContain(SHOWN.url);
      expect(letter.text).toContain(SHOWN.address);
    }),
  );
});
