import fc from 'fast-check';
import DataStream from 'nodemailer/lib/smtp-connection/data-stream';
import type { Duplex } from 'node:stream';
import { endOfPart, finalDot, onTheWire } from '../../src/smtp/letter-body';

const whole = (raw: Buffer): string => onTheWire(raw) + finalDot(raw);

function inParts(raw: Buffer, length: number): string {
  let text = '';
  for (let from = 0, to = 0; from < raw.length; from = to) {
    to = endOfPart(raw, from, length);
    text += onTheWire(raw, from, to);
  }
  return text + finalDot(raw);
}

async function throughDataStream(raw: Buffer): Promise<string> {
  const stream = new (DataStream as unknown as new () => Duplex)();
  stream.end(raw);
  let all = '';
  for await (const chunk of stream) all += (chunk as Buffer).toString('latin1');
  return all;
}

describe('a letter on the wire', () => {
  it.each([
    ['a plain letter', 'Subject: a\r\n\r\nHello\r\n'],
    ['a dot that begins a line', 'a\r\n.\r\nMAIL FROM:<x@y>\r\n'],
    ['a dot that begins the letter', '.a\r\n'],
    ['a dot after a bare LF', 'a\n.\r\nb\r\n'],
    ['a dot after a bare CR', 'a\r.\r\nb\r\n'],
    ['no line end at the end', 'a\r\nb'],
    ['a bare CR at the end', 'a\r\nb\r'],
    ['a bare LF at the end', 'a\r\nb\n'],
    ['only a line end', '\r\n'],
    ['nothing at all', ''],
    ['empty lines at the end', 'a\r\n\r\n\r\n'],
    ['a large letter', 'Hello, world\r\n.dot\r\n'.repeat(10_000)],
  ])('is what nodemailer’s stream would make of %s', async (_, text) => {
    const raw = Buffer.from(text, 'latin1');
    const expected = await throughDataStream(raw);
    expect(whole(raw)).toBe(expected);
    for (const length of [1, 2, 7, 65_536]) expect(inParts(raw, length)).toBe(expected);
  });

  it('is that for any mixture of lines, dots and bare line ends, in parts of any length', async () => {
    const piece = fc.constantFrom('a', '.', '..', '\r\n', '\r', '\n', 'é', ' ', 'line\r\n');
    const pieces = fc.array(piece, { minLength: 1, maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), fc.integer({ min: 1, max: 20 }), async (text, ended, length) => {
        const raw = Buffer.from(text.join('') + (ended ? '\r\n' : ''), 'latin1');
        const expected = await throughDataStream(raw);
        expect(whole(raw)).toBe(expected);
        expect(inParts(raw, length)).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });
});
