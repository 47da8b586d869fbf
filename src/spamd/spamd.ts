import { connect } from 'node:net';

/** What SpamAssassin makes of a letter. */
export interface SpamVerdict {
  score: number;
  /** The names of the rules that matched. */
  tests: readonly string[];
}

const TESTS = 10;
const ANSWER_BYTES = 64_000;

/**
 * Asks spamd about a letter (the protocol SPAMC/1.5, command SYMBOLS).
 * @param server `host:port`
 * @param ms how long it may take, from connecting to the last octet
 * @returns null if there was no answer in time, or none that can be read
 */
export async function askSpamd(server: string, letter: Buffer, ms: number): Promise<SpamVerdict | null> {
  const [, host = '', port = ''] = /^\[?(.+?)\]?:(\d+)$/.exec(server) ?? [];
  const socket = connect({ host, port: Number(port) });
  const late = setTimeout(() => socket.destroy(), ms);
  try {
    // spamd begins to work when it has as many octets as were announced; it closes the connection after its answer.
    socket.write(`SYMBOLS SPAMC/1.5\r\nContent-length: ${letter.length}\r\n\r\n`);
    socket.write(letter);
    let answer = '';
    for await (const piece of socket as AsyncIterable<Buffer>) {
      answer += piece.toString('latin1');
      if (answer.length > ANSWER_BYTES) return null;
    }
    return readAnswer(answer);
  } catch {
    return null;
  } finally {
    clearTimeout(late);
    socket.destroy();
  }
}

/** `SPAMD/1.1 0 EX_OK`, fields, one of which is `Spam: True ; 6.4 / 5.0`, an empty line, the names of the tests. */
function readAnswer(answer: string): SpamVerdict | null {
  const [head = '', ...body] = answer.split('\r\n\r\n');
  const score = /^Spam: \w+ ; (-?\d+(?:\.\d+)?) \//im.exec(head)?.[1];
  if (!/^SPAMD\/[\d.]+ 0 /.test(head) || score === undefined) return null;
  const tests = body.join('').trim().split(',');
  return { score: Number(score) || 0, tests: tests.filter((test) => /^\w{1,60}$/.test(test)).slice(0, TESTS) };
}
