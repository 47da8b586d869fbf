/** Incoming letters of many kinds, about the letter to `RCPT` that was sent from `VERP`. */
export const RCPT = 'anna.k@client.example';
export const VERP = 'bounces+aeaqbqgsdoheyeqnjpyuwhq@news.example.org';
export const MESSAGE_ID = '0123456789abcdef0123456789abcdef@news.example.org';

const lines = (...parts: string[]): string => parts.join('\n').replace(/\r?\n/g, '\r\n');

/** The letter that comes back. */
export const returned = (rcpt = RCPT): string =>
  lines(
    `Return-Path: <${VERP}>`,
    'Received: from relay.example.org (relay.example.org [203.0.113.5]) by mx.client.example; Sat, 28 Nov 2026 12:00:01 +0300',
    'From: "News" <news@news.example.org>',
    `To: Anna <${rcpt}>`,
    'Subject: News',
    `Message-ID: <${MESSAGE_ID}>`,
    'List-Unsubscribe: <https://mail.example.org/u/AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8>',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Mailbox full of offers! If this address does not exist any more: user unknown, 550 5.1.1.',
    '',
  );

export interface Report {
  final?: string;
  original?: string;
  action?: string;
  status?: string;
  diagnostic?: string;
  /** The whole delivery-status part, instead of all above. */
  status_part?: string;
  text?: string;
  type?: string;
  encoding?: string;
  extra?: string;
  from?: string;
  subject?: string;
  enclosed?: string;
}

/** A delivery report (RFC 3464) in a multipart/report. */
export function dsn(of: Report): Buffer {
  const body =
    of.status_part ??
    lines(
      'Reporting-MTA: dns; mx.relay.example',
      '',
      `Final-Recipient: ${of.final ?? `rfc822; ${RCPT}`}`,
      ...(of.original === undefined ? [] : [`Original-Recipient: ${of.original}`]),
      `Action: ${of.action ?? 'failed'}`,
      ...(of.status === undefined ? [] : [`Status: ${of.status}`]),
      ...(of.diagnostic === undefined ? [] : [`Diagnostic-Code: ${of.diagnostic}`]),
      '',
    );
  const encoded =
    of.encoding === 'base64'
      ? (
          Buffer.from(body)
            .toString('base64')
            .match(/.{1,76}/g) ?? []
        ).join('\r\n')
      : body;
  return Buffer.from(
    lines(
      'Return-Path: <>',
      `From: ${of.from ?? 'Mail Delivery System <MAILER-DAEMON@relay.example>'}`,
      `To: <${VERP}>`,
      `Subject: ${of.subject ?? 'Undelivered Mail Returned to Sender'}`,
      'Date: Sat, 28 Nov 2026 12:00:05 +0300',
      ...(of.extra === undefined ? [] : [of.extra]),
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status; boundary="B1"',
      '',
      '--B1',
      'Content-Type: text/plain; charset=utf-8',
      '',
      of.text ?? 'It could not be delivered.',
      '',
      '--B1',
      `Content-Type: ${of.type ?? 'message/delivery-status'}`,
      ...(of.encoding === undefined ? [] : [`Content-Transfer-Encoding: ${of.encoding}`]),
      '',
      encoded,
      '--B1',
      'Content-Type: message/rfc822',
      '',
      of.enclosed ?? returned(),
      '--B1--',
      '',
    ),
  );
}

export interface Plain {
  from?: string;
  subject?: string;
  extra?: string;
  type?: string;
  encoding?: string;
  text: string;
}

/** A letter of one text. */
export const plain = (of: Plain): Buffer =>
  Buffer.from(
    lines(
      'Return-Path: <>',
      `From: ${of.from ?? 'Mail Delivery System <Mailer-Daemon@exim.example>'}`,
      `To: <${VERP}>`,
      `Subject: ${/[^\0-\x7f]/.test(of.subject ?? '') ? `=?utf-8?B?${Buffer.from(of.subject!).toString('base64')}?=` : (of.subject ?? 'Mail delivery failed: returning message to sender')}`,
      'Date: Sat, 28 Nov 2026 12:00:05 +0300',
      ...(of.extra === undefined ? [] : [of.extra]),
      'MIME-Version: 1.0',
      `Content-Type: ${of.type ?? 'text/plain; charset=utf-8'}`,
      ...(of.encoding === undefined ? [] : [`Content-Transfer-Encoding: ${of.encoding}`]),
      '',
      of.encoding === 'base64'
        ? (
            Buffer.from(of.text)
              .toString('base64')
              .match(/.{1,76}/g) ?? []
          ).join('\r\n')
        : of.text,
      '',
    ),
  );
