import fc from 'fast-check';
import { type ContentFacts, contentFacts } from '../../src/domain/letter-content';
import { letterFindings } from '../../src/domain/preflight-rules';

const OWN = 'http://gonets.example/u/';
const of = (html: string) => contentFacts(html, OWN);
const codes = (html: string) => letterFindings(of(html)).map(({ code }) => code);
const WORDS = '<p>Some words that say what the letter is about, and then some more of them.</p>'.repeat(20);

describe('the content of a letter', () => {
  test.each<[string, string, string[]]>([
    ['words', WORDS, []],
    ['102 KB', 'a'.repeat(102 * 1024), []],
    ['more', 'я'.repeat(51 * 1024 + 1), ['HTML_LONG']],
    ['a picture without a text', `${WORDS}<IMG SRC="https://x.example/a.png">`, ['IMAGES_WITHOUT_ALT']],
    ['a picture for decoration', `${WORDS}<img src="https://x.example/a.png" alt="" width=100 height=50>`, []],
    [
      'hardly more than a picture',
      '<img alt="Sale" src="https://x.example/a.png" width="600" height="800"><p>Sale</p>',
      ['MOSTLY_PICTURES'],
    ],
    [
      'a picture one dot large',
      '<p>Hello, here is a letter</p><img alt="" src="https://x.example/a" width="1" height="1">',
      [],
    ],
    ['a text that leads elsewhere', '<a href="https://evil.example/x">www.bank.com</a>', ['LINK_TEXT_DIFFERENT']],
    [
      'the same with markup',
      '<a href="https://evil.example"><b>https://bank</b>.com/in?x</a>',
      ['LINK_TEXT_DIFFERENT'],
    ],
    [
      'a text that leads there',
      '<a href="https://www.bank.com/in">bank.com</a> <a href="https://bank.com">www.bank.com/x</a>',
      [],
    ],
    ['one organisation', '<a href="https://click.shop.co.uk/1">https://www.shop.co.uk/</a>', []],
    ['words on a link', '<a href="https://evil.example">Read more. Now</a>', []],
    ['a name of another script', '<a href="https://xn--80ak6aa92e.com">почта.рф</a>', ['LINK_TEXT_DIFFERENT']],
    ['a name of the same', '<a href="https://почта.рф/x">почта.рф</a>', []],
    ['a shortener', '<a href="https://bit.ly/3x">Offer</a>', ['SHORT_LINKS']],
    ['no TLS', '<a href="HTTP://shop.example">Shop</a>', ['HTTP_LINKS']],
    ['a picture without TLS', `${WORDS}<img alt="" src="http://x.example/a.png">`, ['HTTP_LINKS']],
    ['our own link', `<a href="${OWN}abc">Unsubscribe</a>`, []],
    ['a picture inside', `${WORDS}<img alt="" src="data:image/png;base64,AAAA">`, ['DATA_IMAGES']],
    [
      'nothing that is shown',
      '<style>a{}</style><script>"<img>"</script><!-- <img src=http://x> --><template><img></template>',
      [],
    ],
    ['an entity in an address', '<a href="https://evil.example/?a&amp;b">bank&#46;com</a>', ['LINK_TEXT_DIFFERENT']],
  ])('%s', (_, html, expected) => expect(codes(html)).toEqual(expected));

  test('examples are few and short, and all are counted', () => {
    const link = `<a href="http://bit.ly/${'x'.repeat(1_000)}">bank.example</a>`;
    const facts = of(link.repeat(100));
    expect(facts).toMatchObject({ shortened: { n: 100 }, plainHttp: { n: 100 } });
    expect(facts.misleading).toHaveLength(20);
    expect(facts.plainHttp.example!.length).toBe(200);
  });

  test('a score of five and more is told; no answer is unknown', () => {
    const facts: ContentFacts = of(WORDS);
    expect(letterFindings({ ...facts, spam: { score: 4.9, tests: [] } })).toEqual([]);
    expect(letterFindings({ ...facts, spam: { score: 5, tests: ['A', 'B'] } })).toEqual([
      { code: 'SPAM_SCORE', level: 'warn', values: { score: 5, max: 5, tests: 'A, B' } },
    ]);
    expect(letterFindings({ ...facts, spam: null })).toEqual([
      { code: 'SPAM_UNANSWERED', level: 'unknown', values: {} },
    ]);
  });

  test('whatever it is made of, it is read', () => {
    const part = fc.constantFrom(
      '<a href="',
      '">',
      '</a>',
      '<img src=',
      '<b>',
      '</i>',
      '<style>',
      '</style>',
      '<!--',
      '&amp;',
      '&#x110000;',
      'www.x.example',
      'http://',
      '"',
      '\0',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 60 }), (parts) => {
        const { pictureShare } = of(parts.join(''));
        expect(pictureShare).toBeGreaterThanOrEqual(0);
        expect(pictureShare).toBeLessThanOrEqual(1);
      }),
    );
  });
});
