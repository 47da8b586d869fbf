import { generateKeyPairSync } from 'node:crypto';
import { composeLetter, prepareLetter } from '../../src/domain/compose';
import { prepareDkim } from '../../src/domain/dkim';
import { ValidationError } from '../../src/domain/errors';
import { feedbackId, mayNameForComplaints, senderIdOf } from '../../src/domain/feedback';

test.each([
  ['shop.example', 'shop-example'],
  ['x.io', 'x-io-mail'],
  ['newsletter.example.co.uk', 'newsletter-exam'],
  ['xn--80ak6aa92e.com', 'xn-80ak6aa92e-c'],
])('the id of %s as a sender is %s', (domain, id) => {
  expect(senderIdOf(domain)).toBe(id);
  expect(id).toMatch(/^.{5,15}$/);
});

test('Feedback-ID has four fields, none of which is another one', () => {
  const id = feedbackId({ mailingId: 7, ownerId: 7, kind: 'marketing' }, 'shop-example');
  expect(id).toBe('m7:o7:marketing:shop-example');
});

const { privateKey } = generateKeyPairSync('ed25519');
const key = (domain: string) =>
  prepareDkim({ domain, selector: 's', privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string });

test.each<[string, string[], boolean]>([
  ['fbl@shop.example', ['shop.example'], true],
  ['fbl@mail.shop.example', ['shop.example'], true],
  ['fbl@shop.example', ['mail.shop.example'], true],
  ['fbl@shop.example', [], false],
  ['fbl@shop.example', ['relay.example'], false],
  ['fbl@else.example', ['shop.example', 'else.example'], false],
  ['fbl@notshop.example', ['shop.example'], false],
])('%s, signed by %j: %p', (address, domains, may) => {
  expect(mayNameForComplaints(address, { domain: 'shop.example', dkim: domains.map(key) })).toBe(may);
});

const letter = (headers: { feedbackId?: string; complaintsTo?: string }) => {
  const prepared = prepareLetter({
    from: { address: 'shop@shop.example' },
    content: { render: () => ({ subject: 'Hi', text: 'Hi', html: 'Hi' }) },
    ...headers,
  });
  const data = { client: { fullName: '', email: 'ann@example.net', comment: '' }, mailing: { name: '' } };
  const own = { messageId: '<1@shop.example>', date: new Date(0), boundary: 'b', eightBitMime: false };
  return composeLetter(prepared, { ...own, data: { ...data, sender: { name: '', email: '' }, date: '' } }).toString();
};

test('letters name both, each in one line', () => {
  const text = letter({ feedbackId: 'm1:o1:marketing:shop-example', complaintsTo: 'FBL@shop.example' });
  expect(text).toContain('\r\nFeedback-ID: m1:o1:marketing:shop-example\r\n');
  expect(text).toContain('\r\nCFBL-Address: FBL@shop.example; report=arf\r\n');
  expect(letter({})).not.toMatch(/feedback-id|cfbl-address/i);
});

test('nothing gets out of its header', () => {
  expect(letter({ feedbackId: 'm1\r\nBcc: x@y.example' })).toContain('\r\nFeedback-ID: m1 Bcc: x@y.example\r\n');
  expect(() => letter({ complaintsTo: 'a@b.example\r\nBcc: x@y.example' })).toThrow(ValidationError);
});
