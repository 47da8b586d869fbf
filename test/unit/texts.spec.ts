import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deliveryReasons } from '../../src/domain/codes';
import { ValidationError } from '../../src/domain/errors';
import { english } from '../../src/domain/problem-texts';
import { at, type FieldProblem, problem } from '../../src/domain/problems';
import { en } from '../../src/web/texts/en';
import { ru } from '../../src/web/texts/ru';
import { fieldProblems, type Texts } from '../../src/web/texts/texts';

const source = join(__dirname, '../../src');
const files = (folder: string): string[] =>
  readdirSync(join(source, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith('texts/'))
    .map((name) => readFileSync(join(source, folder, name), 'utf8'));

/** What is written after one of these in the sources, with numbers for what is filled in. */
function said(code: string, before: string): string[] {
  const pattern = new RegExp(`(?:${before})\\s*(?:\`((?:[^\`\\\\]|\\\\.)*)\`|'([^']*)'|"([^"]*)")`, 'g');
  return [...code.matchAll(pattern)].map((m) => (m[1] ?? m[2] ?? m[3] ?? '').replace(/\$\{[^}]*\}+/g, '7'));
}

test('every reason that is written to the ledger is one that pages know', () => {
  const written = files('features').flatMap((code) =>
    said(code, 'reason = |reason = CASE WHEN d.offered THEN |reason: |AS reason, |END AS reason'),
  );
  const named = [
    ...files('features')
      .join('\n')
      .matchAll(/(?:SET|,)[^;`]*?\breason = '(\w+)'/g),
  ].map((m) => m[1]);
  const codes = [...written, ...named].filter((code) => /^[a-z]+(_[a-z]+)+$/.test(code ?? ''));
  expect(codes).toContain('worker_lost');
  expect(codes.filter((code) => !deliveryReasons.some((known) => known === code))).toEqual([]);
});

const place = { line: 3, column: 5 };
const unknown = { ...place, name: 'client.nick', similar: null, known: ['date'] };

test.each<[FieldProblem, english: string, pageEn: string, pageRu: string]>([
  [
    { field: 'body', ...problem('unknown_variable', unknown) },
    'line 3, column 5: unknown variable "client.nick"; known are date',
    'Line 3, column 5: There is no variable “client.nick”.',
    'Строка 3, знак 5: Нет переменной «client.nick».',
  ],
  [
    { field: 'body', ...problem('template', { line: 1, column: 1, text: 'tag {% if a %} not closed' }) },
    'line 1, column 1: tag {% if a %} not closed',
    'Line 1, column 1: What stands in {{ }} or {% %} cannot be read (tag {% if a %} not closed).',
    'Строка 1, знак 1: Не удаётся прочитать то, что стоит в {{ }} или {% %} (tag {% if a %} not closed).',
  ],
  [
    { field: 'body', ...problem('template_limit', { ...place, bound: 'levels', max: 50 }) },
    'line 3, column 5: has tags within each other deeper than 50 levels',
    'Line 3, column 5: What stands in {{ }} or {% %} cannot be read (too many tags within each other).',
    'Строка 3, знак 5: Не удаётся прочитать то, что стоит в {{ }} или {% %} (слишком много тегов друг в друге).',
  ],
  [
    { field: 'clientIds', ...problem('unknown_addresses', { count: 2, shown: ['a@b.org', 'c@d.org'] }) },
    '2 of these are no clients of yours: a@b.org, c@d.org',
    '2 of these are not among your clients: a@b.org, c@d.org',
    'Среди ваших клиентов нет 2 адресов: a@b.org, c@d.org',
  ],
  [
    { field: 'file', ...problem('file_header', { line: 4, found: 'x' }) },
    'Line 4: The first line must name the columns email, full_name and, if wished, comment, separated by commas, semicolons or tabs; it is: x',
    'Line 4: The first line must name the columns: email, full_name and, if you like, comment.',
    'Строка 4: Первая строка должна называть столбцы: email, full_name и, если нужно, comment.',
  ],
  [
    { field: 'line', ...problem('columns', { has: 5, wanted: 3, extra: true }) },
    'has 5 columns where the header has 3; text that contains the delimiter must stand in quotation marks',
    'It has 5 columns where the header has 3. Text with a delimiter must stand in quotation marks.',
    'Столбцов: 5, а в заголовке: 3. Текст с разделителем нужно взять в кавычки.',
  ],
])('%j is worded for programs and for readers', (found, forApi, pageEn, pageRu) => {
  const onPage = (texts: Texts) => fieldProblems(new ValidationError([found]), texts)[found.field];
  expect([english(found), onPage(en), onPage(ru)]).toEqual([forApi, pageEn, pageRu]);
});

test('of a field the first problem is shown', () => {
  const error = new ValidationError([
    ...at('a', problem('empty')),
    ...at('a', problem('nul')),
    ...at('b', problem('day')),
  ]);
  expect(fieldProblems(error, ru)).toEqual({ a: 'Заполните это поле.', b: 'Укажите день.' });
});

test('very many problems, and very long values, are told in part', () => {
  const long = problem('unknown_variable', { ...place, name: 'x'.repeat(90_000), similar: null, known: ['date'] });
  const error = new ValidationError(Array.from({ length: 30 }, () => at('f'.repeat(999), long)).flat());
  expect(error.details.errors).toHaveLength(20);
  expect(error.message).toMatch(/; and 10 more$/);
  expect(JSON.stringify(error.details).length + error.message.length).toBeLessThan(30_000);
});

const texts = (of: object): string[] =>
  Object.values(of).flatMap((value: unknown) =>
    typeof value === 'string' ? [value] : typeof value === 'object' && value !== null ? texts(value) : [],
  );

const FONTS = ['Arial', 'Verdana', 'Trebuchet', 'Georgia', 'Times'];

test('no text of one language stands in the other', () => {
  expect(texts(en).filter((text) => /[а-я]/i.test(text))).toEqual([]);
  expect(texts(ru).filter((text) => /[a-z]/i.test(text) && !/[а-я]/i.test(text))).toEqual([...FONTS, 'HTML']);
});

/** All texts, and the sources of those that are filled in. */
const written = (of: object): string[] =>
  Object.values(of).flatMap((value: unknown) => {
    if (typeof value === 'object' && value !== null) return written(value);
    return typeof value === 'function' ? [String(value)] : typeof value === 'string' ? [value] : [];
  });

test('mailings are scheduled and sent; no text says that they start', () => {
  expect(written(en).filter((text) => /(mailing|\bit)\b[^.]*\bstart(s|ed)?\b/i.test(text))).toEqual([]);
  expect(written(ru).filter((text) => /(рассылк|её)[^.]*запу(ск|щен|ст)/i.test(text))).toEqual([]);
});

test.each([
  ['cannot', en, /\b(can not|can.t)\b/i],
  ['paused', en, /\bon hold\b/i],
  ['excluded', en, /\bsuppress(ed|ion)|dead address|\bblocked by hand/i],
  ['this service', en, /\binstallation\b/i],
  ['mail server', en, /\bmail account|\brelay\b/i],
  ['sign-in service', en, /\bsign-in provider|account of a provider/i],
  ['quotation marks', en, /"\$\{/],
  ['тег', ru, /(?<![а-яё])мет(к|ок)/i],
  ['этот сервис', ru, /этой системы|всей системы/i],
  ['продолжить', ru, /возобнов(и|ля)т/i],
  ['сеанс', ru, /(все|другие|остальные) входы/i],
  ['снова включить', ru, /вернуть (всех|их|каждого)|возвращён/i],
  ['неудачные', ru, /кому не дошло|с ошибкой:/i],
  ['тире', ru, /[а-яё»] – [а-яё«$]/i],
])('one thing has one name: %s', (_, language: object, other) => {
  expect(written(language).filter((text) => other.test(text))).toEqual([]);
});

test('every text is used', () => {
  const code = [...files('web'), ...files('http')].join('\n').replace(/\btexts(?:Of\([^()]*\))?\./g, 't.');
  const has = (pattern: string) => new RegExp(pattern).test(code);
  /** As `t.of.name`; as `of.name` or `name`, taken out of the texts before; or with all others of a part of them. */
  function isUsed(path: string[]): boolean {
    const [name = '', of = 't'] = path.toReversed();
    const parts = path.slice(0, -1).map((_, i) => path.slice(0, i + 1).join('\\.'));
    return (
      has(`\\bt\\.${path.join('\\.')}\\b`) ||
      has(`(?<![.\\w])${of}\\.${name}\\b`) ||
      has(`\\{[^{}=;]*\\b${name}\\b[^{}=;]*\\}\\s*=\\s*(?:[\\w.]+\\.)?${of}\\b`) ||
      parts.some((part) => has(`(?<!\\}\\s*=\\s*(?:\\w+\\.)*)\\bt\\.${part}(?![.\\w])`)) ||
      path.slice(0, -1).some((part) => has(`\\b${part}(?:\\[|: \\w+,?[^{}=;]*\\} =)`))
    );
  }
  const unused = (texts: object, above: string[] = []): string[] =>
    Object.entries(texts).flatMap(([name, text]: [string, unknown]) => {
      const path = [...above, name];
      if (typeof text === 'object' && text !== null) return unused(text, path);
      return isUsed(path) ? [] : [path.join('.')];
    });
  expect(unused(en)).toEqual([]);
});
