import { loadConfig } from '../../src/config/config';
import { parseOauth } from '../../src/mailbox/access-tokens';
import { mailboxUrlProblem, parseMailboxUrl } from '../../src/mailbox/mailbox-url';

const SECRET = 'p4ssw0rd';

test.each<[string, object]>([
  [
    `imaps://news%40x.example:${SECRET}@mail.x.example/INBOX`,
    { host: 'mail.x.example', port: 993, secure: true, requireTls: false, user: 'news@x.example', pass: SECRET },
  ],
  [`imap://u:${SECRET}@mail.x.example`, { port: 143, secure: false, requireTls: true, folder: 'INBOX' }],
  [`imap://u:${SECRET}@localhost:1143/`, { port: 1143, requireTls: false, folder: 'INBOX' }],
  [`imap://u:${SECRET}@127.0.0.1/Bounces%20%2F%20in`, { requireTls: false, folder: 'Bounces / in' }],
  [`imap://u:${SECRET}@10.0.0.5`, { requireTls: true, servername: null }],
  [`imap://u:${SECRET}@10.0.0.5?allowPlainLogin=true`, { requireTls: false }],
  [
    `imaps://u:${SECRET}@[2001:db8::1]:1993?servername=mail.x.example`,
    { host: '2001:db8::1', servername: 'mail.x.example' },
  ],
  [`imaps://u:${SECRET}@h?rejectUnauthorized=false`, { rejectUnauthorized: false }],
  ['imaps://u@h', { pass: '', rejectUnauthorized: true }],
])('%s', (url, settings) => expect(parseMailboxUrl(url)).toMatchObject(settings));

test.each([
  ['', /not a URL/],
  [`smtp://u:${SECRET}@h`, /must begin with imaps:\/\/ or imap:\/\//],
  [`imaps://u:${SECRET}@`, /no host|not a URL/],
  [`imaps://mail.${SECRET}.example/`, /names no user/],
  [`imaps://u:${SECRET}#x@h`, /percent-encode/],
  [`imaps://u:${SECRET}/x@h`, /percent-encode/],
  [`imaps://u:${SECRET}?x@h`, /percent-encode/],
  [`imaps://u:a%zz${SECRET}@h`, /percent-encode/],
  [`imaps://u:p@h?${SECRET}=1`, /has an option that is none of allowPlainLogin, rejectUnauthorized, servername/],
  [`imaps://u:p@h?allowPlainLogin=${SECRET}`, /allowPlainLogin, which must be true or false/],
  [`imaps://u:p@h?servername=a&servername=${SECRET}`, /servername twice/],
  ['imaps://u:p@h?servername=', /empty servername/],
  [`imaps://u:${SECRET}@h\nx`, /one line/],
])('%s says what is wrong, and nothing of the password', (url, problem) => {
  const said = mailboxUrlProblem(url);
  expect(said).toMatch(problem);
  if (!/names no user/.test(said!)) expect(said).not.toContain(SECRET);
});

describe('the settings together', () => {
  const problems = (env: NodeJS.ProcessEnv): string => {
    try {
      loadConfig(env);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  const oauth = `https://login.example/token,client,${SECRET},refresh`;

  test('a mailbox needs a password or OAuth', () => {
    expect(problems({ BOUNCE_MAILBOX_URL: 'imaps://u@h' })).toContain('BOUNCE_MAILBOX_URL needs a password');
    expect(problems({ BOUNCE_MAILBOX_URL: 'imaps://u@h', BOUNCE_MAILBOX_OAUTH: oauth })).toBe('');
    expect(problems({ BOUNCE_MAILBOX_OAUTH: oauth })).toContain('BOUNCE_MAILBOX_URL is missing');
    expect(problems({ BOUNCE_MAILBOX_URL: `imaps://u:${SECRET}@h?x=1` })).not.toContain(SECRET);
  });

  test('a certificate needs its key', () => {
    expect(problems({ INBOUND_TLS_CERT: '/a' })).toContain('INBOUND_TLS_KEY is missing');
    expect(problems({ INBOUND_TLS_KEY: '/a' })).toContain('INBOUND_TLS_CERT is missing');
  });
});

test.each([
  ['https://a.example/token,client,secret,1//re,fresh', 'secret', '1//re,fresh'],
  ['https://a.example/token,client,,refresh', '', 'refresh'],
  ['https://a.example/token,client,secret,', 'secret', ''],
  ['http://127.0.0.1:9/token,client,secret,refresh', 'secret', 'refresh'],
])('%s', (text, secret, refresh) =>
  expect(parseOauth(text)).toEqual({ tokenUrl: text.split(',')[0], clientId: 'client', secret, refresh }),
);

test.each([
  '',
  'x',
  'https://a.example/token,client,secret',
  'https://a.example/token,client,,',
  'http://a.example/,c,s,r',
])('"%s" is no way to tokens', (text) => expect(parseOauth(text)).toBeNull());
