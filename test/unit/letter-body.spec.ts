import fc from 'fast-check';
import DataStream from 'nodemailer/lib/smtp-connection/data-stream';
import type { Duplex } from 'node:stream';
import { LetterBody } from '../../src/smtp/letter-body';

const newStream = () => new (DataStream as unknown as new () => Duplex)();

async function octets(stream: Duplex): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += (chunk as Buffer).toString('latin1');
  return all;
}

function throughLetterBody(raw: Buffer): Promise<string> {
  const stream = newStream();
  const watch = { mayStart: () => true, onProgress: () => undefined, mayEnd: () => true };
  new LetterBody(raw, watch).pipe(stream);
  return octets(stream);
}

function throughDataStream(raw: Buffer): Promise<string> {
  const stream = newStream();
  stream.end(raw);
  return octets(stream);
}

describe('LetterBody', () => {
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
    ['empty lines at the end', 'a\r\n\r\n\r\n'],
    ['a large letter', 'Hello, world\r\n.dot\r\n'.repeat(10_000)],
  ])('gives the server what its stream would make of %s', async (_, text) => {
    const raw = Buffer.from(text, 'latin1');
    expect(await throughLetterBody(raw)).toBe(await throughDataStream(raw));
  });

  it('does so for any mixture of lines, dots and bare line ends', async () => {
    const piece = fc.constantFrom('a', '.', '..', '\r\n', '\r', '\n', 'é', ' ', 'line\r\n');
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 40 }), fc.boolean(), async (pieces, ended) => {
        const raw = Buffer.from(pieces.join('') + (ended ? '\r\n' : ''), 'latin1');
        expect(await throughLetterBody(raw)).toBe(await throughDataStream(raw));
      }),
      { numRuns: 500 },
    );
  });

  it('writes no dot when it may not end, and nothing when it may not start', () => {
    const watch = { mayStart: () => true, onProgress: () => undefined, mayEnd: () => false };
    const begun = newStream();
    new LetterBody(Buffer.from('Hello\r\n'), watch).pipe(begun);
    expect((begun.read() as Buffer).toString()).toBe('Hello');
    expect(begun.writableEnded).toBe(false);
    const never = newStream();
    new LetterBody(Buffer.from('Hello\r\n'), { ...watch, mayStart: () => false }).pipe(never);
    expect(never.read()).toBeNull();
  });
});
