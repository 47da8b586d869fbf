import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FaultRig } from '../support/fault-rig';
import { Postfix } from '../support/postfix';
import { SmtpServer } from '../support/smtp-server';

/**
 * Letters as they arrive: written by a worker, passed on by a real Postfix to a server without 8BITMIME, verified by
 * dkimpy and judged by SpamAssassin. Needs Debian's postfix, spamassassin, python3-dkim and python3-nacl.
 */

jest.setTimeout(600_000);

const VERIFY = join(__dirname, '../support/dkim-verify.py');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed = generateKeyPairSync('ed25519');
const pem = { type: 'pkcs8', format: 'pem' } as const;
const spki = { type: 'spki', format: 'der' } as const;
const RECORDS = {
  'one._domainkey.example.com': `v=DKIM1; k=rsa; p=${rsa.publicKey.export(spki).toString('base64')}`,
  'two._domainkey.example.com': `v=DKIM1; k=ed25519; p=${ed.publicKey.export(spki).subarray(-32).toString('base64')}`,
};
const SETTINGS = {
  PUBLIC_URL: 'https://news.example.com',
  DKIM_DOMAIN: 'example.com',
  DKIM_SELECTOR: 'one',
  DKIM_PRIVATE_KEY: rsa.privateKey.export(pem) as string,
  DKIM_SELECTOR_2: 'two',
  DKIM_PRIVATE_KEY_2: ed.privateKey.export(pem) as string,
};
const demo = JSON.parse(readFileSync(join(__dirname, '../../demo/message.json'), 'utf8')) as Record<string, string>;
const russian = {
  subject: 'Здравствуйте, {{ client.fullName }}: новости осени',
  body: '<p>Здравствуйте, {{ client.fullName }}!</p><p>Вот что у нас нового: открылся ещё один магазин.</p>',
};

function verdicts(letter: Buffer): boolean[] {
  const { status, stdout, stderr } = spawnSync('/usr/bin/python3', [VERIFY, JSON.stringify(RECORDS)], {
    input: letter,
  });
  if (status !== 0) throw new Error(String(stderr));
  return (JSON.parse(String(stdout)) as { direct: boolean[] }).direct;
}

/** SpamAssassin's points, by its rules that ask nobody. */
function points(letter: Buffer): { points: number; report: string } {
  const { stdout, stderr } = spawnSync('/usr/bin/spamassassin', ['-L', '-t'], { input: letter });
  const report = String(stdout);
  const found = /X-Spam-Status:[^\n]*score=(-?[\d.]+)/.exec(report)?.[1];
  if (found === undefined) throw new Error(`SpamAssassin said nothing: ${String(stderr)}`);
  return { points: Number(found), report };
}

const headOf = (letter: Buffer) =>
  letter
    .toString('latin1')
    .split('\r\n\r\n')[0]!
    .replace(/\r\n[ \t]+/g, ' ');

describe('letters as they arrive', () => {
  let rig: FaultRig;
  let server: SmtpServer;
  let postfix: Postfix;
  const letters: Buffer[] = [];

  beforeAll(async () => {
    rig = await FaultRig.start();
    server = await SmtpServer.start({ pipelining: true, eightBitMime: false });
    server.keep = (_to, letter) => Promise.resolve(void letters.push(letter));
    postfix = await Postfix.start(server.port);
  });
  afterAll(async () => {
    postfix?.stop();
    await server?.stop();
    await rig?.stop();
  });

  /** One letter of a marketing mailing with this message. */
  async function letterOf(message: Record<string, string>, through: number): Promise<Buffer> {
    letters.length = 0;
    await rig.reset();
    await rig.startWorker({ ...SETTINGS, SMTP_URL: `smtp://127.0.0.1:${through}?ignoreTLS=true` });
    const { body } = await rig.call<{ id: number }>('POST', '/messages', message);
    const mailing = await rig.mailing(['ann-']);
    await rig.query('UPDATE mailings SET message_id = $2 WHERE id = $1', [mailing, body.id]);
    await rig.send(mailing);
    await rig.quiet(60_000);
    await rig.eventually(() => letters.length === 1, 60_000, `a letter (${postfix.log.slice(-2_000)})`);
    return letters[0]!;
  }

  it.each([
    ['the demo', demo],
    ['a Russian mailing', russian],
  ])(
    'of %s keep both signatures, directly and through Postfix, and name the way out once and signed',
    async (_, message) => {
      for (const through of [server.port, postfix.port]) {
        const letter = await letterOf(message, through);
        expect(verdicts(letter)).toEqual([true, true]);
        const head = headOf(letter);
        const link = /^List-Unsubscribe: <(https:\/\/news\.example\.com\/u\/[\w-]+)>$/m.exec(head)?.[1];
        expect(link).toBeDefined();
        expect(head.match(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click$/gm)).toHaveLength(1);
        const signed = [...head.matchAll(/^DKIM-Signature:.*?\bh=([^;]+);/gm)].map(([, h = '']) => h.toLowerCase());
        expect(signed).toHaveLength(2);
        for (const h of signed)
          for (const name of ['list-unsubscribe', 'list-unsubscribe-post'])
            expect(h.split(':').filter((field) => field.trim() === name)).toHaveLength(2);
        const forged = Buffer.concat([Buffer.from('List-Unsubscribe: <https://evil.example/>\r\n'), letter]);
        expect(verdicts(forged)).toEqual([false, false]);
        // Its readers can leave by it.
        const left = await fetch(link!.replace('https://news.example.com', rig.api.url), {
          method: 'POST',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body: 'List-Unsubscribe=One-Click',
        });
        expect([left.status, left.headers.get('location'), left.headers.get('set-cookie')]).toEqual([200, null, null]);
      }
    },
  );

  it.each([
    ['the demo', demo],
    ['a Russian mailing', russian],
  ])('of %s get less than one point from SpamAssassin', async (_, message) => {
    const judged = points(await letterOf(message, postfix.port));
    process.stderr.write(`${judged.points} points\n`);
    if (judged.points >= 1) throw new Error(judged.report);
  });
});
