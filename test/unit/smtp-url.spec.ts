import { describeSmtp, parseSmtpUrl, SmtpUrlError } from '../../src/smtp/smtp-url';

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

  test('no message and no description shows the password', () => {
    expect(() => parseSmtpUrl('smtp://u:topsecret@h?nope=1')).toThrow(/^(?!.*topsecret)/s);
    expect(describeSmtp(parseSmtpUrl('smtp://u:topsecret@h?requireTLS=true'))).toBe(
      'smtp://u@h:587 (STARTTLS required)',
    );
    expect(describeSmtp(parseSmtpUrl('smtps://u:topsecret@[::1]?rejectUnauthorized=false'))).toBe(
      'smtps://u@[::1]:465 (TLS, certificate not checked)',
    );
  });
});
