import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deliveryReasons } from '../../src/domain/codes';
import { en } from '../../src/web/texts/en';
import { ru } from '../../src/web/texts/ru';
import { translateProblem } from '../../src/web/texts/texts';

const source = join(__dirname, '../../src');
const files = (folder: string): string[] =>
  readdirSync(join(source, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(source, folder, name), 'utf8'));

/** What is written after one of these in the sources, with numbers for what is filled in. */
function said(code: string, before: string): string[] {
  const pattern = new RegExp(`(?:${before})\\s*(?:\`((?:[^\`\\\\]|\\\\.)*)\`|'([^']*)'|"([^"]*)")`, 'g');
  return [...code.matchAll(pattern)].map((m) => (m[1] ?? m[2] ?? m[3] ?? '').replace(/\$\{[^}]*\}+/g, '7'));
}

test('every sentence that a service says about a field has a text in Russian', () => {
  const sentences = ['domain', 'features', 'database']
    .flatMap(files)
    .flatMap((code) =>
      said(
        code,
        'message:|problem:|[^.]refuse(?:Domain)?\\(|UnusableFile\\(|report\\(|unclosed:|trailing:|long:|return(?= [`\'"]must)',
      ),
    );
  expect(sentences.length).toBeGreaterThan(50);
  expect(sentences.filter((s) => s !== '' && /[a-z] [a-z]/.test(s) && translateProblem(s, ru) === s)).toEqual([]);
});

test('every reason that is written to the ledger is one that pages know', () => {
  const written = files('features').flatMap((code) => said(code, 'reason = |reason: |AS reason, |END AS reason'));
  const named = [
    ...files('features')
      .join('\n')
      .matchAll(/(?:SET|,)[^;`]*?\breason = '(\w+)'/g),
  ].map((m) => m[1]);
  const codes = [...written, ...named].filter((code) => /^[a-z]+(_[a-z]+)+$/.test(code ?? ''));
  expect(codes).toContain('worker_lost');
  expect(codes.filter((code) => !deliveryReasons.some((known) => known === code))).toEqual([]);
});

test.each([
  [
    'line 3, column 5: unknown variable "client.nick"; known are date',
    'Строка 3, знак 5: Нет переменной «client.nick».',
  ],
  ['line 1, column 1: tag {% if a %} not closed', 'Строка 1, знак 1: Шаблон не читается (tag {% if a %} not closed).'],
  ['2 of these are no clients of yours: a@b.org, c@d.org', 'Среди ваших клиентов нет 2 адресов: a@b.org, c@d.org'],
  ['Line 4: The first line must name the columns; it is: x', `Строка 4: ${ru.problems.header}`],
  ['has 5 columns where the header has 3; text …', ru.problems.columns('5', '3')],
])('%s', (message, text) => {
  expect(translateProblem(message, ru)).toBe(text);
});

test('no text of one language stands in the other', () => {
  const texts = (of: object): string[] =>
    Object.values(of).flatMap((value: unknown) =>
      typeof value === 'string' ? [value] : typeof value === 'object' && value !== null ? texts(value) : [],
    );
  expect(texts(en).filter((text) => /[а-я]/i.test(text))).toEqual([]);
  expect(texts(ru).filter((text) => /[a-z]/i.test(text) && !/[а-я]/i.test(text))).toEqual(['HTML']);
});
