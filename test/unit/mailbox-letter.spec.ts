import fc from 'fast-check';
import { inboundReasons } from '../../src/domain/inbound-decision';
import { isForUs, recipientsOf, returnPathOf } from '../../src/domain/mailbox-letter';
import { headersOf } from '../../src/domain/read-letter';

const letter = (...lines: string[]) => ({ headers: headersOf(`${lines.join('\r\n')}\r\n\r\n`) });

test('the addresses to which a letter came: what servers wrote before what its sender did', () => {
  const { headers } = letter(
    'To: "Bounces, all" <b+one@news.example.org>, two@x.example',
    'Cc: three@x.example',
    'Received: from a by b for <four@x.example>; Sat, 28 Nov 2026 12:00:00 +0300',
    'Delivered-To: five@x.example',
    'X-Original-To: six+tag@x.example',
  );
  expect(recipientsOf({ headers })).toEqual([
    'five@x.example',
    'six+tag@x.example',
    'four@x.example',
    'b+one@news.example.org',
    'two@x.example',
    'three@x.example',
  ]);
});

test('of very many addresses the first ones count', () => {
  const many = Array.from({ length: 1_000 }, (_, i) => `a${i}@x.example`);
  expect(recipientsOf(letter(`To: ${many.join(', ')}`))).toEqual(many.slice(0, 20));
});

test.each([
  ['Return-Path: <>', ''],
  ['Return-Path: <ann@x.example>', 'ann@x.example'],
  ['Return-Path: ann@x.example', 'ann@x.example'],
  ['Subject: none', 'from@x.example'],
])('%s', (line, path) => expect(returnPathOf(letter(line, 'From: Ann <from@x.example>'))).toBe(path));

test('nothing is ours that is about no letter of ours, or that a person wrote', () => {
  const plain = letter('Subject: x');
  for (const reason of inboundReasons) expect(isForUs(plain, reason, false)).toBe(false);
  const others = inboundReasons.filter((reason) => !isForUs(plain, reason, true));
  expect(others).toEqual(['dmarc_report', 'tls_report', 'human', 'not_a_report', 'not_ours', 'unreadable']);
});

test('a copy of a mailing is nobody’s report, but a report may repeat its header', () => {
  const unsubscribe = 'List-Unsubscribe: <https://x.example/u/1>';
  expect(isForUs(letter(unsubscribe), 'out_of_office', true)).toBe(false);
  expect(isForUs(letter(unsubscribe, 'Content-Type: multipart/report; x=y'), 'user_unknown', true)).toBe(true);
  // A proof letter looks like one of a mailing, and comes to an address of its own.
  expect(isForUs(letter(unsubscribe), 'proof', true)).toBe(true);
});

test('any header is read', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 2_000, unit: 'binary' }), (text) => {
      const found = { headers: headersOf(`To: ${text}\r\nReturn-Path: ${text}`) };
      expect(recipientsOf(found).length).toBeLessThanOrEqual(20);
      expect(returnPathOf(found)).not.toMatch(/[<>\s]/);
    }),
  );
});
