import { guessEncoding, type LegacyEncoding } from '../../src/domain/csv-detect';
import { CsvDecoder, encodingNamed } from '../../src/domain/csv-encoding';

/** The bytes of a text in one of these encodings: found by decoding every one and every two bytes. */
function encode(text: string, encoding: LegacyEncoding): Uint8Array {
  const decoder = new TextDecoder(encoding);
  const bytes = new Map<string, number[]>();
  for (let lead = 0x80; lead <= 0xff; lead++) {
    const single = decoder.decode(Uint8Array.of(lead));
    if (!single.includes('\ufffd')) bytes.set(single, [lead]);
    for (let trail = 0x40; trail <= 0xfe && /^(?:gbk|shift_jis|big5|euc-)/.test(encoding); trail++) {
      const double = decoder.decode(Uint8Array.of(lead, trail));
      if ([...double].length === 1 && double !== '\ufffd' && !bytes.has(double)) bytes.set(double, [lead, trail]);
    }
  }
  return Uint8Array.from([...text].flatMap((c) => (c < '\u0080' ? [c.charCodeAt(0)] : (bytes.get(c) ?? [0x3f]))));
}

/** A header and one line or two: the least that people send. */
const SHORT: [LegacyEncoding, string[]][] = [
  [
    'windows-1251',
    [
      'a@b.ru;Анна\r\n',
      'почта;имя\na@b.ru;Анна\n',
      'Телефон;Город;Имя;E-mail\n1;Москва;Иван;a@b.ru\n',
      'ИМЯ;ГОРОД\nИВАН;МОСКВА\n',
      'email;имя\nq@w.ua;Олексій Їжакевич\n',
      'email;comment\na@b.ru;«первая» № 1 — да\n',
    ],
  ],
  ['koi8-r', ['a@b.ru;Анна\n', 'почта;имя\na@b.ru;Анна\n', 'Телефон;Город;Имя;E-mail\n1;Москва;Иван;a@b.ru\n']],
  ['ibm866', ['a@b.ru;Анна\n', 'почта;имя\na@b.ru;Анна\n', 'Телефон;Город;Имя;E-mail\n1;Москва;Иван;a@b.ru\n']],
  ['x-mac-cyrillic', ['почта;имя\na@b.ru;Анна Щукина\n']],
  ['iso-8859-5', ['почта;имя\na@b.ru;Анна\n']],
  [
    'windows-1250',
    [
      'email;imię;miasto\na@b.pl;Łukasz Żółć;Wrocław\n',
      'email;jméno\na@b.cz;Jiří Dvořák\n',
      'email;név\na@b.hu;Erdős Győző\n',
    ],
  ],
  [
    'windows-1252',
    [
      'email;prénom;ville\na@b.fr;Hélène;Orléans\n',
      'E-Mail;Vorname;Straße\na@b.de;Jürgen Müller;Köln\n',
      'email;nombre\na@b.es;Peña Muñoz\n',
      'email,name\na@b.org,Zoë\n',
      'email;nom\na@b.fr;François d’Été — œuvre\n',
      'e;n\na@b.dk;Søren Ærø Åse\n',
    ],
  ],
  ['windows-1253', ['email;όνομα\na@b.gr;Νίκος Παπαδόπουλος\n']],
  ['windows-1254', ['email;ad\na@b.tr;Işıl Yağmur Şahin\n']],
  ['windows-1257', ['email;vardas\na@b.lt;Jūratė Žemaitė\n']],
  ['macintosh', ['email;prénom\na@b.fr;Hélène;Orléans\n']],
  ['gbk', ['邮箱,姓名,城市\na@b.cn,王小明,北京\n', 'email,name\na@b.cn,张伟\n']],
  ['shift_jis', ['メール,氏名,都市\na@b.jp,山田太郎,東京都\n', 'email,name\na@b.jp,佐藤花子\n']],
  ['big5', ['電子郵件,姓名\na@b.tw,王小明\n']],
  ['euc-kr', ['이메일,이름\na@b.kr,김철수\n']],
  ['euc-jp', ['メール,氏名\na@b.jp,山田さん\n']],
];

describe('the encoding of a short file', () => {
  it.each(SHORT.flatMap(([encoding, texts]) => texts.map((text) => [encoding, text] as const)))(
    '%s: %j',
    (encoding, text) => {
      const bytes = encode(text, encoding);
      expect(guessEncoding(bytes).encoding).toBe(encoding);
      const decoder = new CsvDecoder();
      expect([decoder.push(bytes) + decoder.end(), decoder.encoding]).toEqual([text.replaceAll('\r', ''), encoding]);
    },
  );

  it('is sure for ordinary ones, and says when it is not', () => {
    const sure = (text: string, encoding: LegacyEncoding) => guessEncoding(encode(text, encoding)).sure;
    expect(sure('Телефон;Город;Имя;E-mail\n1;Москва;Иван;a@b.ru\n', 'windows-1251')).toBe(true);
    expect(sure('邮箱,姓名,城市\na@b.cn,王小明,北京\n', 'gbk')).toBe(true);
    expect(guessEncoding(Uint8Array.of(0xe9, 0x0a)).sure).toBe(false);
  });
});

describe('a declared encoding', () => {
  const decoded = (bytes: Uint8Array, name: string) => {
    const decoder = new CsvDecoder(encodingNamed(name));
    return [decoder.push(bytes) + decoder.end(), decoder.encoding];
  };
  it.each<[string, string, string]>([
    ['KOI8-R', '\xe1\xce\xce\xc1', 'koi8-r'],
    ['cp866', '\x80\xad\xad\xa0', 'ibm866'],
    ['latin1', '\xc0', 'windows-1252'],
    ['x-unknown', 'plain', 'utf-8'],
    ['utf-16', '\xfe\xff\x00a', 'utf-16be'],
  ])('%s decides', (name, bytes, encoding) => expect(decoded(Buffer.from(bytes, 'latin1'), name)[1]).toBe(encoding));

  it('decides against what the bytes look like', () =>
    expect(decoded(Buffer.from('Анна'), 'windows-1251')).toEqual(['РђРЅРЅР°', 'windows-1251']));
});
