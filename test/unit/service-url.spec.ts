import { publicUrlProblem, redisUrlProblem, serviceUrlProblem } from '../../src/config/service-url';

const POSTGRES = ['postgres', 'postgresql'] as const;
const problem = (text: string) => serviceUrlProblem(text, POSTGRES);

test.each([
  'postgres://u:x@h/db',
  'postgresql://h',
  'POSTGRES://h/db',
  'postgres://u:p%40ss@h:5432/db?sslmode=require',
  'postgres:///db?host=/var/run/postgresql',
])('%s is taken', (text) => {
  expect(problem(text)).toBeNull();
});

/** Each has a password, of which the answer repeats nothing. */
test.each([
  ['postgres:u:secret@h/db', 'must begin with postgres:// or postgresql://'],
  ['postgres:/u:secret@h/db', 'must begin with postgres:// or postgresql://'],
  ['u:secret@h/db', 'must begin with postgres:// or postgresql://'],
  ['https://u:secret@h/db', 'must begin with postgres:// or postgresql://'],
  ['postgres:///secret', 'has no host: postgres://host:port'],
  ['postgres://?secret', 'has no host: postgres://host:port'],
  ['postgres://u:x@127.0.0.1/db?host=secret.example', 'only the folder of a socket'],
  ['postgres:///db?host=secret.example', 'only the folder of a socket'],
  ['"postgres://u:secret@h/db"', 'must not stand in quotation marks'],
  ["'postgres://u:secret@h/db", 'must not stand in quotation marks'],
  ['postgres://u:secret@h:54x2/db', 'percent-encode'],
  ['postgres://u:sec/ret@h/db', 'percent-encode'],
  ['postgres://u:sec?ret@h/db', 'percent-encode'],
  ['postgres://u:sec#ret@h/db', 'percent-encode'],
  ['postgres://u:sec%ret@h/db', 'percent-encode'],
  ['postgres://u:secret\n@h/db', 'one line'],
])('%j is refused: %s', (text, why) => {
  expect(problem(text)).toContain(why);
  expect(problem(text)).not.toMatch(/secret|ret@|:sec/);
});

test('a scheme without slashes is none, whatever parsers make of it', () => {
  expect(publicUrlProblem('https:h')).toBe('must begin with https:// or http://');
  expect(publicUrlProblem('https://h')).toBeNull();
  expect(redisUrlProblem('redis://usr?secret:6379/0')).toMatch(/^takes no options(?!.*secret)/);
  expect(redisUrlProblem('redis:secret@h')).toBe('must begin with redis:// or rediss://');
});
