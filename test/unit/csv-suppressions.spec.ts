import { type SuppressionItem, SuppressionsCsv } from '../../src/domain/csv-suppressions';
import { type DomainLetters, outages } from '../../src/domain/suppression';

const read = (csv: string): SuppressionItem[] => {
  const file = new SuppressionsCsv('manual');
  return [...file.push(Buffer.from(csv)), ...file.end()];
};
/** What the only line says. */
const only = (csv: string) => {
  const [item, ...more] = read(csv);
  expect(more).toEqual([]);
  return item;
};

it('of our own list, what ends by itself is left out: it would last for ever', () => {
  const line = (reason: string, until: string) =>
    only(`email,reason,scope,mailing_id,created_at,expires_at\na@x.example,${reason},owner,,,${until}\n`);
  expect(line('hard_bounce', '2024-04-01T03:04:05.000Z')).toEqual({ kind: 'not_suppressed', line: 2 });
  expect(line('hard_bounce', '')).toMatchObject({ kind: 'suppression', reason: 'hard_bounce' });
  expect(line('complaint', '2024-04-01T03:04:05.000Z')).toMatchObject({ kind: 'suppression', reason: 'complaint' });
});

describe('the lists of other services are understood', () => {
  it.each([
    [
      'our own',
      'email,reason,scope,mailing_id,created_at,source,detail\na@x.example,complaint,owner,,2024-01-02T03:04:05.000Z,smtp,said so\n',
      { reason: 'complaint', since: new Date('2024-01-02T03:04:05Z'), detail: 'said so' },
    ],
    [
      'listmonk',
      'uuid,email,name,attributes,status,created_at\n1,A@x.example,A,{},blocklisted,2024-01-02 03:04:05+03:00\n',
      { reason: 'manual', since: new Date('2024-01-02T00:04:05Z') },
    ],
    [
      'Mailchimp, unsubscribed',
      'Email Address,First Name,UNSUB_TIME,UNSUB_REASON\na@x.example,A,2024-01-02 03:04:05,too many\n',
      { reason: 'unsubscribed', since: new Date('2024-01-02T03:04:05Z'), detail: 'too many' },
    ],
    [
      'Mailchimp, cleaned',
      'Email Address,CLEAN_TIME\na@x.example,2024-01-02 03:04\n',
      { reason: 'hard_bounce', since: new Date('2024-01-02T03:04:00Z') },
    ],
    [
      'Amazon SES',
      'EmailAddress,Reason,LastUpdateTime\na@x.example,BOUNCE,2024-01-02T03:04:05.678000+00:00\n',
      { reason: 'hard_bounce', since: new Date('2024-01-02T03:04:05.678Z') },
    ],
    [
      'SendGrid',
      'email,status,created\na@x.example,5.1.1,1704164645\n',
      { reason: 'manual', since: new Date('2024-01-02T03:04:05Z'), detail: '5.1.1' },
    ],
    [
      'Mailgun',
      'address,code,error,created_at\na@x.example,550,"550 5.1.1, no",Tue 02 Jan\n',
      { reason: 'manual', detail: '550 5.1.1, no', since: null },
    ],
    ['Postmark', 'EmailAddress;SuppressionReason\na@x.example;SpamComplaint\n', { reason: 'complaint' }],
    ['a bare list', 'e-mail\na@x.example\n', { reason: 'manual', since: null, detail: '' }],
    ['a Russian list', 'Почта\tПричина\na@x.example\tunsubscribe\n', { reason: 'unsubscribed' }],
  ])('%s', (_of, csv, expected) =>
    expect(only(csv)).toMatchObject({ kind: 'suppression', emailKey: 'a@x.example', ...expected }),
  );

  it.each([
    'email,status\na@x.example,enabled\n',
    'email,status\na@x.example,Subscribed\n',
    'email,scope,reason\na@x.example,mailing,unsubscribed\n',
  ])('%j excludes nobody', (csv) => expect(only(csv)).toMatchObject({ kind: 'not_suppressed' }));

  it.each(['0000-01-01', '2026-02-30', '0001-01-01T00:00:00+03:00', '9999-12-31T23:59:00-05:00', '2150-01-01'])(
    'the time %s is none',
    (time) => expect(only(`email,created_at\na@x.example,${time}\n`)).toMatchObject({ since: null }),
  );

  it('stray quotation marks swallow no line that has an address', () => {
    const lines = ['email,reason,detail', 'a@x.example,unsub,"he said', 'b@x.example,unsub,', 'c@x.example,unsub,"'];
    const found = read(`${lines.join('\n')}\n`);
    expect(found.map((item) => (item.kind === 'suppression' ? item.emailKey : item.kind))).toEqual([
      'rejected',
      'b@x.example',
      'rejected',
    ]);
  });

  it('a day that does not exist, and a detail of any length, stop nothing', () => {
    expect(only(`email,created_at,detail\na@x.example,2024-13-45,${'x'.repeat(9_000)}\n`)).toMatchObject({
      since: null,
      detail: 'x'.repeat(500),
    });
  });
});

describe('an outage', () => {
  const at = (domain: string, accepted: number, refused: number, tookMail = 0): DomainLetters => ({
    domain,
    accepted,
    refused,
    tookMail,
  });
  it.each<[string, DomainLetters[], (string | null)[]]>([
    ['200 of 300 who took mail lately', [at('a', 100, 200, 200)], ['a']],
    ['a quarter of those who took mail lately', [at('a', 180, 60, 60)], ['a']],
    ['a quarter of a new list', [at('a', 180, 60)], []],
    ['more than half of a new list', [at('a', 60, 61)], ['a']],
    ['few, though they are all', [at('a', 0, 49, 49)], []],
    ['a part of a large provider', [at('a', 900, 100, 100)], []],
    ['all of many small domains', Array.from({ length: 60 }, (_, i) => at(`d${i}`, 0, 1)), [null]],
    ['one domain among healthy ones', [at('a', 0, 90), at('b', 500, 3)], ['a']],
    ['one dead domain of many letters is not the relay', [at('a', 0, 60), at('b', 20, 0)], ['a']],
  ])('%s', (_what, letters, expected) => expect(outages(letters).map(({ domain }) => domain)).toEqual(expected));
});
