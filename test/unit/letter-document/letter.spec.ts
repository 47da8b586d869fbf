import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import type { LetterData } from '../../../src/domain/liquid';
import { checkDocument } from '../../../src/domain/letter-document/check';
import { contrast, READABLE } from '../../../src/domain/letter-document/colours';
import { picturePath } from '../../../src/domain/letter-document/links';
import { startersOf } from '../../../src/domain/letter-document/starters';
import { DEFAULT_BRAND, lookOf } from '../../../src/domain/letter-document/theme';
import { documentToMjml } from '../../../src/domain/letter-document/to-mjml';
import { documentToText } from '../../../src/domain/letter-document/to-text';
import { compileContent } from '../../../src/domain/template';
import { LetterHtml } from '../../../src/mjml/letter-html.service';
import {
  anyDocument,
  block,
  button,
  documentOf,
  EVERYTHING,
  heading,
  linkTo,
  paragraph,
  variable,
  words,
  type Json,
} from '../../support/documents';
import { flawsOf, isClipped } from '../../support/letter-html';

const letters = new LetterHtml();
afterAll(() => letters.onModuleDestroy());

const around = {
  subject: 'Hello {{ client.fullName }}',
  brand: DEFAULT_BRAND,
  sender: 'Shop',
  pictureUrl: (src: string) => (picturePath(src) === null ? src : `https://mail.example${picturePath(src)}`),
};

async function made(input: unknown) {
  const checked = checkDocument(input, []);
  if (!checked.ok) throw new Error(JSON.stringify(checked.errors));
  const { preheader } = checked.document;
  const body = await letters.make(documentToMjml(checked.doc, { ...around, preheader }));
  return { body, bodyText: documentToText(checked.doc) };
}

const data: LetterData = {
  client: { fullName: 'Ann <b>', email: 'ann+x@example.org', comment: '' },
  mailing: { name: '' },
  sender: { name: 'Shop', email: 'shop@example.org' },
  date: '2027-03-31T09:00:00Z',
  unsubscribeUrl: 'https://example.org/u/1?a=1&b=2',
  senderAddress: 'Street 1',
  footerText: 'You get this because …',
};

async function letterOf(input: unknown) {
  const compiled = compileContent({ subject: 'x', ...(await made(input)) }, 'en');
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.errors));
  return compiled.content.render(data);
}

describe('the HTML of a document', () => {
  it('keeps the rules of Outlook, Gmail and the dark with every kind of block', async () => {
    const { body } = await made(EVERYTHING);
    expect(flawsOf(body)).toEqual([]);
    expect(isClipped(body)).toBe(false);
    expect(flawsOf((await letterOf(EVERYTHING)).html)).toEqual([]);
  });

  it('keeps them with any document, and renders for anybody', async () => {
    await fc.assert(
      fc.asyncProperty(anyDocument, async (document) => {
        expect(flawsOf((await letterOf(document)).html)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('is made of 250,000 blanks as of any other text', async () => {
    const { body } = await made(documentOf(paragraph(`a${' '.repeat(250_000)}b`)));
    expect(body).toMatch(/a {250000}b/);
  });

  it('is the same each time', async () => {
    expect(await made(EVERYTHING)).toEqual(await made(EVERYTHING));
  });

  it('shows what was typed as it was typed, braces and all', async () => {
    const typed = '{{ client.email }} {% if %} { {{{ }} <b>&amp;</b> "\'';
    const { html, text } = await letterOf(documentOf(paragraph(typed), paragraph('{', variable('client.email'), '}')));
    expect(html).toContain('&#123;&#123; client.email }} &#123;% if %}');
    expect(html).toContain('&lt;b&gt;&amp;amp;&lt;/b&gt;');
    expect(text).toContain(typed);
    expect(text).toContain('{ann+x@example.org}');
    expect(html).toContain('&#123;ann+x@example.org}');
  });

  it('puts in variables: escaped in HTML, encoded in links, with their fallback where they are empty', async () => {
    const document = documentOf(
      paragraph(variable('client.fullName'), variable('client.comment', 'no "comment" <i>')),
      button('Go', 'https://example.org/{{ client.fullName }}?to={{ client.email }}&x=1'),
      paragraph(words('leave', linkTo('{{ unsubscribeUrl }}'))),
    );
    const { html, text } = await letterOf(document);
    expect(html).toContain('Ann &lt;b&gt;no &#34;comment&#34; &lt;i&gt;');
    expect(html).toContain('href="https://example.org/Ann%20%3Cb%3E?to=ann%2Bx%40example.org&amp;x=1"');
    expect(html).toContain('href="https://example.org/u/1?a=1&amp;b=2"');
    expect(text).toContain('Go: https://example.org/Ann%20%3Cb%3E?to=ann%2Bx%40example.org&x=1');
    expect(text).toContain('Ann <b>no "comment" <i>');
  });

  it('has the standard footer within its width, once', async () => {
    const { html, text } = await letterOf(EVERYTHING);
    expect(html.match(/Unsubscribe/g)).toHaveLength(1);
    const [, cell] =
      /<td[^>]*class="f"[^>]*>\s*<div[^>]*>([^]*?)<\/div>\s*<\/td>\s*<\/tr>\s*<\/tbody>\s*<\/table>\s*<\/div>[^]{0,200}<\/td>\s*<\/tr>\s*<\/tbody>\s*<\/table>\s*<\/div>[^]*$/.exec(
        html.slice(html.lastIndexOf('class="f"') - 40),
      ) ?? [];
    expect(cell).toContain('Street 1');
    expect(text).toMatch(/---\r?\nYou get this because …\r?\nStreet 1\r?\nUnsubscribe: https:/);
  });

  it('reads from the right where its text does', async () => {
    const { body } = await made(documentOf(heading(1, 'שלום עולם'), paragraph('טקסט')));
    expect(body).toMatch(/<html lang="he" dir="rtl"/);
    expect(body).toContain('<p dir="rtl" style="text-align:right;');
  });

  it('has colours that can be read on each other, whatever a sender chooses', () => {
    const colour = fc.integer({ min: 0, max: 0xffffff }).map((n) => `#${n.toString(16).padStart(6, '0')}`);
    fc.assert(
      fc.property(colour, colour, (accent, background) => {
        const { light, dark, button: own } = lookOf({ ...DEFAULT_BRAND, accent, background });
        for (const { card, text, muted, link } of [light, dark])
          for (const shown of [text, muted, link]) expect(contrast(shown, card)).toBeGreaterThanOrEqual(READABLE);
        expect(contrast(own.text, own.background)).toBeGreaterThanOrEqual(READABLE);
      }),
    );
  });
});

describe.each(['en', 'ru'] as const)('the letters to begin with, in %s', (language) => {
  it.each(startersOf(language).map((starter) => [starter.id, starter] as const))(
    '%s keeps the rules',
    async (_, starter) => {
      const { html, text } = await letterOf(starter.document);
      expect(flawsOf(html)).toEqual([]);
      expect(isClipped(html)).toBe(false);
      expect(text.length).toBeGreaterThan(100);
      for (const [, name] of html.matchAll(/starters\/(\w+)\.png/g))
        expect(existsSync(join(__dirname, '../../../browser/starters', `${name}.svg`))).toBe(true);
    },
  );
});

describe('the text of a document', () => {
  it('has everything, in order', async () => {
    const { bodyText } = await made(EVERYTHING);
    expect(bodyText).toBe(
      [
        'Hello {{ client.fullName | default: "friend" }}',
        'Plain, bold italic linked [https://example.org/x]\nand on.',
        '* one\n  1. inner\n* two',
        '1. first\n2. second\n   more',
        '> Quoted',
        '[A picture] [https://example.org/?to={{ client.email | url_encode }}]',
        'Go there: https://example.org/go',
        '---',
        '[A picture]',
        'Left',
        'Right',
        'More: https://example.org/',
        '1\n\n2\n\n3',
        'שלום',
        'VK: https://vk.com/x\nX: https://x.com/y',
        'Small print',
      ].join('\n\n'),
    );
  });
});

describe('the largest documents', () => {
  const largest: Record<string, Json[]> = {
    text: Array.from({ length: 499 }, () => paragraph('word '.repeat(90))),
    columns: Array.from({ length: 100 }, () =>
      block(
        'columns',
        [1, 2].map(() => block('column', [button('x', 'https://a.example')])),
      ),
    ),
  };

  it.each(Object.entries(largest))('of %s keep the process busy for less than 50 ms at a time', async (_, blocks) => {
    await made(EVERYTHING);
    const { doc } = checkDocument(documentOf(...blocks), []) as { doc: Parameters<typeof documentToMjml>[0] };
    const began = performance.now();
    const mjml = documentToMjml(doc, { ...around, preheader: '' });
    documentToText(doc);
    const took = performance.now() - began;
    await letters.make(mjml);
    expect(took).toBeLessThan(50);
  });
});
