import { passwordProblems } from '../../src/features/users/passwords';
import { english } from '../../src/domain/problem-texts';

const ANNA = 'Anna.Bell@example.org';

test.each([
  ['seven77', /at least 8/],
  ['пароль', /at least 8/],
  ['\u{1F511}'.repeat(7), /at least 8/],
  ['x'.repeat(201), /at most 200/],
  ['password', /guessed first/],
  ['Password123', /guessed first/],
  ['P@ssw0rd', /guessed first/],
  ['1234567890', /guessed first/],
  ['qwertyuiop', /guessed first/],
  [' iloveyou ', /guessed first/],
  ['ｐａｓｓｗｏｒｄ', /guessed first/],
  ['00000000', /guessed first/],
  ['aaaaaaaa', /guessed first/],
  ['abcabcabc', /guessed first/],
  ['87654321', /guessed first/],
  ['abcdefgh', /guessed first/],
  ['        ', /guessed first/],
  ['\u200B\u200B\u200B\u200B\u200B\u200B\u200B\u200B', /guessed first/],
  ['password\u200B', /guessed first/],
  ['p a s s w o r d', /guessed first/],
  ['password!!', /guessed first/],
  ['anna.bell@example.org', /own e-mail address/],
  ['ANNA.BELL@EXAMPLE.ORG', /own e-mail address/],
  ['anna.bell', /own e-mail address/],
  ['AnnaBell1990', /own e-mail address/],
  ['2026-anna.bell!', /own e-mail address/],
  ['example.org', /own e-mail address/],
])('%j is refused: %s', async (password, problem) => {
  const [found, ...others] = await passwordProblems(password, ANNA);
  expect(found?.field).toBe('password');
  expect(found && english(found)).toMatch(problem);
  expect(others).toEqual([]);
});

test.each([
  'correct horse battery staple',
  'ненавижу понедельники',
  '        x',
  'kkkkzzzzqqqq',
  '84629173',
  '\u{1F511}'.repeat(8),
  'x'.repeat(200),
  'I am anna.bell, and nobody else',
])('%j is taken, whatever characters it is made of', async (password) => {
  expect(await passwordProblems(password, ANNA)).toEqual([]);
});

test.each(['anna@почта.рф', 'АННА@почта.рф'.replace('АННА', 'ANNA'), 'почта.рф', 'anna@xn--80a1acny.xn--p1ai'])(
  '%j is refused as the own address of an international domain',
  async (password) => {
    const [found] = await passwordProblems(password, 'anna@почта.рф');
    expect(found?.code).toBe('own_address');
  },
);

test('an address that is none yet, and one of two letters, refuse nothing', async () => {
  expect(await passwordProblems('a long enough one', '')).toEqual([]);
  expect(await passwordProblems('jo-jo-jo-jo', 'jo@x.io')).toEqual([]);
});
