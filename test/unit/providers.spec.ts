import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Match } from '../../src/domain/inbound-decision';
import { decideReport } from '../../src/domain/provider-verdict';
import { providerNames } from '../../src/domain/providers/provider';
import { PROVIDERS } from '../../src/domain/providers/providers';
import { isCertificateUrl, isSubscribeUrl, snsMessage } from '../../src/domain/providers/sns';
import { webhookCases } from '../support/webhook-cases';

/** What each provider's events mean, by examples of their documentation. */

const A = 'anna.k@client.example';
const match: Match = { by: 'message-id', deliveryId: 1, email: A };

describe.each(providerNames)('%s', (name) => {
  const provider = PROVIDERS[name];
  const reportsOf = (body: unknown) =>
    provider.events(body).flatMap((event) => {
      const report = provider.report(event);
      // What is kept is read again when it is judged.
      if (report) expect(provider.report(JSON.parse(JSON.stringify(event)))).toEqual(report);
      return report ? [report] : [];
    });

  it.each(webhookCases(name).map((of) => [of.title, of] as const))('%s', (_, { body, expected }) => {
    const reports = reportsOf(body);
    const isOurs = expected.map(({ reason }) => reason !== 'not_ours');
    const verdicts = reports.map((report, i) =>
      decideReport(report, isOurs[i] ? match : null, 'news@news.example.org'),
    );
    expect(verdicts).toMatchObject(
      expected.map(({ kind, reason, blame, enhancedCode, address }) => ({
        kind,
        reason,
        blame,
        enhancedCode,
        address,
      })),
    );
    expect(reports.map(({ id, at }) => [id !== '', at?.getUTCFullYear()])).toEqual(expected.map(() => [true, 2026]));
  });

  it('tells its events apart, and knows one that is sent again', () => {
    const ids = webhookCases(name).flatMap(({ body }) => reportsOf(body).map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    expect(webhookCases(name).flatMap(({ body }) => reportsOf(body).map(({ id }) => id))).toEqual(ids);
  });

  it('reads whatever is sent', () => {
    const names = [
      ...new Set(readFileSync(join(__dirname, `../fixtures/webhooks/${name}.json`), 'utf8').match(/[\w-]{2,30}/g)),
    ];
    const key = fc.constantFrom(...names);
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, true, -1, 1e300, '', '\0', ...names),
        tie('list'),
        tie('object'),
      ),
      list: fc.array(tie('value'), { maxLength: 3 }),
      object: fc.dictionary(key, tie('value'), { maxKeys: 6 }),
    }));
    fc.assert(
      fc.property(value, (body) => {
        for (const report of reportsOf(body)) {
          expect(decideReport(report, match, '').basis).toBe('provider_report');
          expect(decideReport(report, null, '').reason).toBe('not_ours');
        }
        snsMessage(body);
      }),
    );
  });
});

test('a letter that was passed on and failed there says nothing for good about the address', () => {
  const [hard] = webhookCases('ses');
  const report = PROVIDERS.ses.report(PROVIDERS.ses.events(hard!.body)[0])!;
  expect(decideReport({ ...report, address: 'other@forwarded.example' }, match, '')).toMatchObject({
    kind: 'soft',
    reason: 'forward_failed',
  });
});

describe('addresses of Amazon SNS', () => {
  const good = 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0000000000000000000000.pem';
  it.each([
    [good, true],
    ['https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-a.pem', true],
    ['http://sns.eu-west-1.amazonaws.com/a.pem', false],
    ['https://sns.eu-west-1.amazonaws.com:8443/a.pem', false],
    ['https://sns.eu-west-1.amazonaws.com.evil.example/a.pem', false],
    ['https://evil.example/sns.eu-west-1.amazonaws.com/a.pem', false],
    ['https://sns.eu-west-1.amazonaws.com@evil.example/a.pem', false],
    ['https://u:p@sns.eu-west-1.amazonaws.com/a.pem', false],
    ['https://sns.a.b.amazonaws.com/a.pem', false],
    ['https://bucket.s3.amazonaws.com/a.pem', false],
    ['https://sns.eu-west-1.amazonaws.com/a.pem?x=1', false],
    ['https://sns.eu-west-1.amazonaws.com/../a.pem', false],
    ['https://sns.eu-west-1.amazonaws.com/a.txt', false],
    ['https://sns.eu-west-1.amazonaws.com/a.pem\n', false],
    ['https://127.0.0.1/a.pem', false],
    ['file:///etc/passwd.pem', false],
    ['', false],
  ])('%j of a certificate: %s', (url, is) => expect(isCertificateUrl(url)).toBe(is));

  const confirm = '?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:123456789012:bounces&Token=2336412f37';
  it.each([
    [`https://sns.eu-west-1.amazonaws.com/${confirm}`, true],
    [`https://127.0.0.1/${confirm}`, false],
    [`http://127.0.0.1:8080/${confirm}`, false],
    [`http://sns.eu-west-1.amazonaws.com/${confirm}`, false],
    [`https://sns.eu-west-1.amazonaws.com:22/${confirm}`, false],
    [`https://sns.eu-west-1.amazonaws.com@127.0.0.1/${confirm}`, false],
    [`https://sns.eu-west-1.amazonaws.com/${confirm}#@127.0.0.1`, false],
    [`https://sns.eu-west-1.amazonaws.com\\@127.0.0.1/${confirm}`, false],
    [`gopher://sns.eu-west-1.amazonaws.com/${confirm}`, false],
  ])('%j of a subscription: %s', (url, is) => expect(isSubscribeUrl(url)).toBe(is));
});
