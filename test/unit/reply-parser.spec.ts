import fc from 'fast-check';
import { ReplyParser } from '../../src/smtp/reply-parser';

function read(octets: Buffer, lengths: number[]): string[] {
  const parser = new ReplyParser();
  const replies: string[] = [];
  for (let at = 0, turn = 0; at < octets.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    expect(parser.add(octets.subarray(at, at + length))).toBe(true);
    at += length;
    for (let reply = parser.next(); reply !== null; reply = parser.next()) replies.push(reply);
  }
  replies.push(parser.left);
  return replies;
}

describe('ReplyParser', () => {
  it.each([
    ['one reply', '250 2.0.0 Ok\r\n', ['250 2.0.0 Ok', '']],
    ['several at once', '250 a\r\n250 b\r\n354 go\r\n', ['250 a', '250 b', '354 go', '']],
    ['several lines', '250-a\r\n250-b\r\n250 c\r\n221 d\r\n', ['250-a\r\n250-b\r\n250 c', '221 d', '']],
    ['bare line feeds', '250-a\n250 b\n', ['250-a\n250 b', '']],
    ['no text', '250\r\n', ['250', '']],
    ['empty lines', '\r\n250 a\r\n\r\n\n250 b\r\n\r\n', ['250 a', '250 b', '']],
    ['nonsense', 'abc-def\r\n25-\r\n', ['abc-def', '25-', '']],
    ['a beginning', '250 a\r\n250-b\r\n250 c', ['250 a', '250-b\r\n250 c']],
    ['UTF-8', '550 привет\r\n', ['550 привет', '']],
  ])('reads %s, however it comes', (_, text, replies) => {
    const octets = Buffer.from(text);
    for (const lengths of [[1], [2], [3, 1], [1000]]) expect(read(octets, lengths)).toEqual(replies);
  });

  it('keeps octets that are no UTF-8', () => {
    expect(read(Buffer.from('550 \xe9t\xe9\r\n', 'latin1'), [1])).toEqual(['550 \xe9t\xe9', '']);
  });

  it('reads the same from any chunks', () => {
    const piece = fc.constantFrom('250', '-', ' ', 'a', 'é', '\r\n', '\n', '\r', '354 go\r\n', '250-');
    const lengths = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(piece), lengths, (pieces, chunks) => {
        const octets = Buffer.from(pieces.join(''));
        expect(read(octets, chunks)).toEqual(read(octets, [octets.length]));
      }),
    );
  });

  it.each(['x', '250-a\r\n'])('has enough of what does not end: %j', (piece) => {
    const parser = new ReplyParser();
    let chunks = 0;
    while (parser.add(Buffer.from(piece.repeat(100))) && chunks < 10_000) {
      expect(parser.next()).toBeNull();
      chunks++;
    }
    expect(chunks).toBeLessThan(1000);
  });
});
