import { parseSmtpUrl, portHint, smtpUrlProblem, SmtpUrlError } from '../../src/smtp/smtp-url';

describe('parseSmtpUrl', () => {
  test('reads login, host, port and options', () => {
    const settings = parseSmtpUrl(
      'smtp://me%40x.org:p%3Ass@mail.example.org:2525?requireTLS=true&dotTimeout=1000&name=a.b',
    );
    expect(settings).toMatchObject({
      host: 'mail.example.org',
      port: 2525,
      secure: false,
      requireTLS: true,
      login: { user: 'me@x.org', pass: 'p:ss' },
      dotTimeoutMs: 1000,
      name: 'a.b',
      servername: 'mail.example.org',
    });
  });

  test.each([
    ['smtp://h', { port: 587, secure: false, login: null, rejectUnauthorized: true, ignoreTLS: false }],
    ['smtps://h', { port: 465, secure: true }],
    ['smtp://[::1]:25', { host: '::1', port: 25, servername: null }],
    ['smtp://127.0.0.1?rejectUnauthorized=false', { host: '127.0.0.1', rejectUnauthorized: false }],
    ['smtp://h?authMethod=login', { authMethod: 'LOGIN' }],
  ])('%s', (url, expected) => expect(parseSmtpUrl(url)).toMatchObject(expected));

  test.each([
    ['http://h', /smtp:/],
    ['nonsense', /smtp:/],
    ['smtp://', /host|smtp:/],
    ['smtp://h?requireTls=true', /requireTls/],
    ['smtp://h?requireTLS=yes', /requireTLS/],
    ['smtp://h?ignoreTLS=true&requireTLS=true', /ignoreTLS/],
    ['smtps://h?ignoreTLS=true', /ignoreTLS/],
    ['smtp://h?dotTimeout=soon', /dotTimeout/],
    ['smtp://h?dotTimeout=0', /dotTimeout/],
    ['smtp://h?name=', /name/],
    ['smtp://h?name=a%0D%0Ab', /name/],
    ['smtp://h?name=a&name=b', /name/],
    ['smtp://h?localAddress=x', /localAddress/],
    ['smtp://h?authMethod=NTLM', /authMethod/],
    ['smtp://user@h', /password/],
    ['smtp://h/path', /path/],
    ['smtp://u:%E0%A4%A@h', /password/],
  ])('%s is refused and the message names the part', (url, message) => {
    expect(() => parseSmtpUrl(url)).toThrow(SmtpUrlError);
    expect(() => parseSmtpUrl(url)).toThrow(message);
  });

  test('no message shows the password', () => {
    expect(() => parseSmtpUrl('smtp://u:topsecret@h?nope=1')).toThrow(/^(?!.*topsecret)/s);
  });
});

describe('a password in clear', () => {
  test.each([
    'smtp://u:p@mail.example.org',
    'smtp://u:p@10.0.0.5:25',
    'smtp://u:p@relay',
    'smtp://u:p@128.0.0.1',
    'smtp://u:p@127.example.org',
    'smtp://u:p@localhost.example.org',
    'smtp://u:p@h?requireTLS=false',
    'smtp://u:p@h?allowPlainLogin=false',
  ])('%s wants TLS', (url) => expect(parseSmtpUrl(url).requireTLS).toBe(true));

  test.each([
    'smtp://mail.example.org',
    'smtp://u:p@localhost',
    'smtp://u:p@LOCALHOST.:25',
    'smtp://u:p@127.0.0.1:1025',
    'smtp://u:p@127.8.9.10',
    'smtp://u:p@[::1]',
    'smtp://u:p@[::ffff:127.0.0.1]',
    'smtp://u:p@h?allowPlainLogin=true',
    'smtps://u:p@h',
  ])('%s does without STARTTLS', (url) => expect(parseSmtpUrl(url).requireTLS).toBe(false));

  test('ignoreTLS needs the leave by name', () => {
    expect(smtpUrlProblem('smtp://u:topsecret@h?ignoreTLS=true')).toMatch(/^can't be used: .*allowPlainLogin=true/);
    expect(smtpUrlProblem('smtp://u:topsecret@h?ignoreTLS=true')).not.toMatch(/topsecret|u@/);
    for (const url of ['smtp://h?ignoreTLS=true', 'smtp://u:p@127.0.0.1?ignoreTLS=true'])
      expect(smtpUrlProblem(url)).toBeNull();
    expect(smtpUrlProblem('smtp://u:p@h?ignoreTLS=true&allowPlainLogin=true')).toBeNull();
  });
});

test.each([
  ['smtp://h:465', /smtps:/],
  ['smtps://h:587', /smtp:/],
  ['smtps://h:25', /smtp:/],
  ['smtps://h', null],
  ['smtp://h', null],
  ['smtp://h:25', null],
  ['smtp://h:2525', null],
])('%s hints at the other scheme: %s', (url, hint) => {
  const found = portHint(parseSmtpUrl(url));
  if (hint === null) expect(found).toBeNull();
  else expect(found).toMatch(hint);
});
