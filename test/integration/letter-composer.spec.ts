import { generateKeyPairSync } from 'node:crypto';
import { dkimVerify } from 'mailauth/lib/dkim/verify';
import { simpleParser } from 'mailparser';
import { loadConfig } from '../../src/config/config';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { accountOf } from '../../src/features/accounts/account';
import { LinkKeys } from '../../src/features/consent/link-keys.service';
import { StoredObjects } from '../../src/storage/stored-objects';
import { ReturnAddresses } from '../../src/features/consent/return-addresses';
import { LetterComposer } from '../../src/features/sending/letter-composer';
import { Ledger, silent } from '../support/ledger';

const SECRET_KEY = 'a-secret-key-that-two-databases-have-in-common';
const ENV = { SECRET_KEY, MAIL_FROM: 'News <news@example.com>' };

/** A claimed delivery of a run that a mailing began as the service begins it. */
async function claimed(ledger: Ledger) {
  const { mailingId } = await ledger.run(1);
  await ledger.query(`UPDATE mailings SET name = 'Autumn', time_zone = 'Europe/Athens' WHERE id = $1`, [mailingId]);
  await ledger.query(
    `UPDATE messages SET subject = '{{ mailing.name }} by {{ sender.name }} at {{ date | date: "%H:%M %Z" }}', body = 'Dear {{ client.fullName }}'`,
  );
  const [runId = 0] = await ledger.database.transaction((tx) =>
    ledger.runs.beginScheduled(tx, [{ mailingId, occurrenceAt: new Date('2027-02-03T04:05:06Z') }]),
  );
  await ledger.planner.plan(runId);
  const [id = 0] = await ledger.ids(runId);
  const claim = async () => {
    const [given] = await writeLedger(ledger.database, await worker, [{ claim: id }]);
    if (!given) throw new Error('not claimed');
    return given;
  };
  const worker = ledger.worker();
  return { mailingId, runId, claim };
}

const composer = (ledger: Ledger, env: Record<string, string> = {}) => {
  const config = loadConfig({ ...ENV, ...env });
  const keys = new LinkKeys(ledger.database);
  return new LetterComposer(
    ledger.database,
    accountOf(config),
    config,
    keys,
    new ReturnAddresses(keys, config),
    new StoredObjects(ledger.database, config),
    silent,
  );
};

describe('a letter', () => {
  let ledger: Ledger;
  beforeEach(async () => (ledger = await Ledger.start(ENV)));
  afterEach(() => ledger.stop());

  it("is the same on every try, whatever was changed meanwhile, but for its date and the client's own data", async () => {
    const { mailingId, claim } = await claimed(ledger);
    const read = async (env: Record<string, string> = {}) => {
      const letter = (await composer(ledger, env).letter(await claim()))!;
      return simpleParser(letter.raw({ eightBitMime: true }));
    };
    const first = await read();
    await ledger.query(`UPDATE mailings SET name = 'Winter', time_zone = 'Asia/Tokyo' WHERE id = $1`, [mailingId]);
    await ledger.query(`UPDATE messages SET subject = 'Other', body = 'Other'`);
    await ledger.query(`UPDATE clients SET full_name = 'Anna'`);
    const second = await read({ MAIL_FROM: 'Else <else@elsewhere.example>' });
    expect(first.subject).toMatch(/^Autumn by News at \d\d:\d\d Europe\/Athens$/);
    const fixed = ({ subject, messageId, from, headers }: typeof first) => [
      subject,
      messageId,
      from?.text,
      headers.get('list'),
      JSON.stringify(headers.get('content-type')),
    ];
    expect(fixed(second)).toEqual(fixed(first));
    expect([first.text, second.text].map((text) => text?.split('\n')[0])).toEqual(['Dear Client 1', 'Dear Anna']);
  });

  it("shows the values of the owner's fields; a field that was deleted since is empty", async () => {
    const { runId, claim } = await claimed(ledger);
    await ledger.query(
      `UPDATE runs SET body = '{{ client.city }} {{ client.born | date: "%d.%m.%Y" }} {{ client.gone }}.'`,
    );
    await ledger.query(`UPDATE clients SET fields = '{"city": "Омск <b>", "born": "2026-12-31", "age": 4}'`);
    const given = await claim();
    expect([given.runId, JSON.parse(given.fields)]).toEqual([runId, { city: 'Омск <b>', born: '2026-12-31', age: 4 }]);
    const letter = await simpleParser((await composer(ledger).letter(given))!.raw({ eightBitMime: true }));
    expect(letter.text?.split('\n')[0]).toBe('Омск <b> 31.12.2026 .');
  });

  it('says what complaints are counted by, and where they may be sent if the letters are signed for that', async () => {
    const { mailingId, claim } = await claimed(ledger);
    const { privateKey } = generateKeyPairSync('ed25519');
    const signed = {
      DKIM_DOMAIN: 'example.com',
      DKIM_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      FBL_ADDRESS: 'fbl@bounces.example.com',
    };
    const head = async (env: Record<string, string>) => {
      const [text = ''] = (await composer(ledger, env).letter(await claim()))!
        .raw({ eightBitMime: false })
        .toString('latin1')
        .split('\r\n\r\n');
      return text.replace(/\r\n[ \t]+/g, '');
    };
    const [run] = await ledger.query<{ owner: number }>('SELECT owner_id AS owner FROM mailings');
    const letter = await head(signed);
    expect(letter).toContain(`\r\nFeedback-ID: m${mailingId}:o${run!.owner}:marketing:example-com\r\n`);
    expect(letter).toContain('\r\nCFBL-Address: fbl@bounces.example.com; report=arf\r\n');
    expect(letter).toContain('\r\nPrecedence: bulk\r\n');
    for (const name of ['feedback-id', 'cfbl-address', 'precedence'])
      expect(
        /h=([^;]+)/
          .exec(letter)![1]!
          .split(':')
          .filter((one) => one === name),
      ).toHaveLength(2);
    expect(await head({ ...signed, FBL_ADDRESS: 'fbl@else.example' })).not.toContain('CFBL-Address');
    expect(await head({ FBL_ADDRESS: 'fbl@example.com' })).not.toContain('CFBL-Address');
    expect(await head({ FEEDBACK_SENDER_ID: 'books' })).toContain(':marketing:books\r\n');
  });

  it('has an identity of its own in each database, though secret, names and ids are the same', async () => {
    const other = await Ledger.start(ENV);
    try {
      const ids = await Promise.all(
        [ledger, other].map(async (each) => {
          const { claim } = await claimed(each);
          const given = await claim();
          const letter = (await composer(each).letter(given))!.raw({ eightBitMime: true });
          return { key: `${given.runId} ${given.id} ${given.clientId}`, id: (await simpleParser(letter)).messageId };
        }),
      );
      expect(ids[0]?.key).toBe(ids[1]?.key);
      expect(ids[0]?.id).not.toBe(ids[1]?.id);
    } finally {
      await other.stop();
    }
  });

  it('of a run that a version without these columns made says what its mailing says when it is first composed', async () => {
    const { mailingId, runId, claim } = await claimed(ledger);
    await ledger.query('UPDATE runs SET mailing_name = NULL, time_zone = NULL, sender = NULL, letter_key = NULL');
    const read = async (env: Record<string, string> = {}) =>
      simpleParser((await composer(ledger, env).letter(await claim()))!.raw({ eightBitMime: true }));
    const first = await read();
    await ledger.query(`UPDATE mailings SET name = 'Winter' WHERE id = $1`, [mailingId]);
    const second = await read({ MAIL_FROM: 'Else <else@elsewhere.example>' });
    expect(second.subject).toBe(first.subject);
    expect(second.messageId).toBe(first.messageId);
    expect(second.from?.text).toBe(first.from?.text);
    expect(await ledger.query('SELECT mailing_name, time_zone, sender FROM runs WHERE id = $1', [runId])).toEqual([
      { mailingName: 'Autumn', timeZone: 'Europe/Athens', sender: ENV.MAIL_FROM },
    ]);
  });

  it("is dated by the try, on the database's clock, though the node's own is two hours ahead", async () => {
    const { runId, claim } = await claimed(ledger);
    await ledger.query(`UPDATE runs SET created_at = now() - interval '15 hours' WHERE id = $1`, [runId]);
    const real = Date.now.bind(Date);
    const ahead = jest.spyOn(Date, 'now').mockImplementation(() => real() + 7_200_000);
    try {
      const letter = (await composer(ledger, keys()).letter(await claim()))!;
      const raw = letter.raw({ eightBitMime: true });
      const date = (await simpleParser(raw)).date?.getTime() ?? 0;
      expect(Math.abs(date - real())).toBeLessThan(30_000);
      const times = [...raw.toString('latin1').matchAll(/\bt=(\d+);/g)].map(([, t]) => Number(t));
      expect(times).toEqual([Math.floor(date / 1000), Math.floor(date / 1000)]);
    } finally {
      ahead.mockRestore();
    }
  });

  it('goes on being dated while the database does not answer, and by its clock again afterwards', async () => {
    const { claim } = await claimed(ledger);
    const given = await claim();
    const own = composer(ledger);
    await own.letter(given);
    const first = jest.spyOn(ledger.database, 'first').mockRejectedValue(new Error('away'));
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const raw = (await own.letter(given))!.raw({ eightBitMime: true });
    expect(Math.abs(((await simpleParser(raw)).date?.getTime() ?? 0) - Date.now())).toBeLessThan(30_000);
    expect(first).toHaveBeenCalled();
  });

  it('that is signed is 7-bit for any server, so that both signatures hold behind a relay that writes 8-bit parts anew', async () => {
    const { claim } = await claimed(ledger);
    const { runId } = await claim();
    await ledger.query(`UPDATE runs SET subject = 'Привет', body = '<p>Здравствуйте, мир</p>' WHERE id = $1`, [runId]);
    const env = keys();
    const raw = (await composer(ledger, env).letter(await claim()))!.raw({ eightBitMime: true });
    expect(raw.every((octet) => octet < 128)).toBe(true);
    expect(raw.toString('latin1')).not.toContain('8bit');
    const { results } = await dkimVerify(relayed(raw), {
      resolver: (name: string) => Promise.resolve([[env[name] ?? '']]),
    });
    expect(results.map((result) => result.status.result)).toEqual(['pass', 'pass']);

    // Unsigned it may be 8-bit, which is shorter.
    const plain = (await composer(ledger).letter(await claim()))!.raw({ eightBitMime: true });
    expect(plain.toString('latin1')).toContain('8bit');
  });
});

/** Settings with an RSA and an Ed25519 key, and the DNS records of both. */
function keys(): Record<string, string> {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ed = generateKeyPairSync('ed25519');
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  const spki = { type: 'spki', format: 'der' } as const;
  return {
    DKIM_DOMAIN: 'example.com',
    DKIM_SELECTOR: 'one',
    DKIM_PRIVATE_KEY: rsa.privateKey.export(pem) as string,
    DKIM_SELECTOR_2: 'two',
    DKIM_PRIVATE_KEY_2: ed.privateKey.export(pem) as string,
    'one._domainkey.example.com': `v=DKIM1; k=rsa; p=${rsa.publicKey.export(spki).toString('base64')}`,
    'two._domainkey.example.com': `v=DKIM1; k=ed25519; p=${ed.publicKey.export(spki).subarray(-32).toString('base64')}`,
  };
}

/** What a relay may do to a letter: it adds its own fields above, folds anew, and writes 8-bit parts as base64. */
function relayed(raw: Buffer): Buffer {
  const text = raw
    .toString('latin1')
    .replace(
      /Content-Transfer-Encoding: 8bit\r\n\r\n([^]*?)\r\n--/g,
      (_, body: string) =>
        `Content-Transfer-Encoding: base64\r\n\r\n${Buffer.from(body, 'latin1').toString('base64')}\r\n--`,
    )
    .replace(/(\r\nList-Id:) /, '$1\r\n  ');
  return Buffer.from(`Received: from a by b; Mon, 1 Feb 2027 00:00:00 +0000\r\nX-Relay: yes\r\n${text}`, 'latin1');
}
