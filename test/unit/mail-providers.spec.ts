import { type MailProvider, providerOfDomain, providerOfMx, ratesOf } from '../../src/domain/mail-providers';

test.each<[string, MailProvider | null]>([
  ['gmail.com', 'google'],
  ['Gmail.com', 'google'],
  ['hotmail.co.uk', 'microsoft'],
  ['outlook.de', 'microsoft'],
  ['yahoo.co.jp', 'yahoo'],
  ['yahoo.com', 'yahoo'],
  ['icloud.com', 'apple'],
  ['list.ru', 'mailru'],
  ['ya.ru', 'yandex'],
  ['web.de', 'gmx'],
  ['client.example', null],
  ['notgmail.com', null],
  ['gmail.com.example', null],
  ['yahoo.company', null],
])('the mail of %s is known to be taken by %s', (domain, provider) => {
  expect(providerOfDomain(domain)).toBe(provider);
});

test.each<[string[], MailProvider]>([
  [['aspmx.l.google.com', 'alt1.aspmx.l.google.com'], 'google'],
  [['smtp.google.com'], 'google'],
  [['client-example.mail.protection.outlook.com'], 'microsoft'],
  [['client-example.a-v1.mx.microsoft'], 'microsoft'],
  [['MTA5.AM0.YAHOODNS.NET.'], 'yahoo'],
  [['mx01.mail.icloud.com'], 'apple'],
  [['emx.mail.ru'], 'mailru'],
  [['mx.yandex.net'], 'yandex'],
  [['mx00.gmx.net'], 'gmx'],
  // What stands before the mailbox takes the letter, and decides.
  [['eu-smtp-inbound-1.mimecast.com', 'aspmx.l.google.com'], 'other'],
  [['mx.notgoogle.com'], 'other'],
  [['google.com.example'], 'other'],
  [[''], 'other'],
  [[], 'other'],
])('MX %j is of %s', (hosts, provider) => {
  expect(providerOfMx(hosts)).toBe(provider);
});

test.each([
  [{ sent: 1_000, complained: 0 }, 'good', 0],
  [{ sent: 10_000, complained: 9 }, 'good', 0.0009],
  [{ sent: 10_000, complained: 10 }, 'watch', 0.001],
  [{ sent: 10_000, complained: 29 }, 'watch', 0.0029],
  [{ sent: 10_000, complained: 30 }, 'bad', 0.003],
  [{ sent: 0, complained: 3 }, 'good', null],
] as const)('complaints of %j are %s', (counts, level, rate) => {
  const rates = ratesOf({ refused: 0, deferred: 0, bounced: 0, softBounced: 0, ...counts });
  expect(rates).toMatchObject({ complaintLevel: level, complaintRate: rate });
});

test('more than 2 % that bounce or are refused are too many, 2 % are not', () => {
  const of = (bounced: number, refused: number) =>
    ratesOf({ sent: 98, refused, deferred: 50, bounced, softBounced: 50, complained: 0 });
  expect(of(1, 2)).toMatchObject({ bounceLevel: 'good', refusedLevel: 'good', refusedRate: 0.02 });
  expect(of(2, 3)).toMatchObject({ bounceLevel: 'watch', refusedLevel: 'watch' });
});
