import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dkimVerify } from 'mailauth/lib/dkim/verify';
import { simpleParser } from 'mailparser';
import { attach, attachedBoundary } from '../../src/domain/attached';
import { ATTACHMENTS_BYTES } from '../../src/domain/attachment';
import { classify } from '../../src/domain/smtp-outcome';
import { loadConfig } from '../../src/config/config';
import { accountOf } from '../../src/features/accounts/account';
import { LinkKeys } from '../../src/features/consent/link-keys.service';
import { ReturnAddresses } from '../../src/features/consent/return-addresses';
import { AttachmentsService } from '../../src/features/messages/attachments.service';
import { UnusedFiles } from '../../src/features/messages/unused-files.service';
import { NoticeSender } from '../../src/features/notices/notice-sender';
import { beginResend } from '../../src/features/runs/run-moves';
import { LetterComposer } from '../../src/features/sending/letter-composer';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { attachmentPart } from '../../src/smtp/attachment-part';
import { SmtpPool } from '../../src/smtp/smtp-pool';
import { parseSmtpUrl } from '../../src/smtp/smtp-url';
import { StoredObjects } from '../../src/storage/stored-objects';
import { type Person, startApi, type TestApi } from '../support/api';
import { messageBody } from '../support/factories';
import { FakeS3 } from '../support/fake-s3';
import { fileForm } from '../support/pictures';
import { Ledger, silent } from '../support/ledger';
import { readJournal, SmtpServer } from '../support/smtp-server';

const NAMES = [
  'Прайс-лист на осень 2027 года, окончательный.pdf',
  'a  b;"c".txt',
  '日本 😀.png',
  'x'.repeat(190) + '.pdf',
];
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ENV = {
  SECRET_KEY: 'a-secret-key-that-nobody-else-knows',
  MAIL_FROM: 'News <news@example.com>',
  DKIM_DOMAIN: 'example.com',
  DKIM_PRIVATE_KEY: rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
};
const resolver = () => {
  const key = rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  return Promise.resolve([[`v=DKIM1; k=rsa; p=${key}`]]);
};

describe('the letters of a run', () => {
  let ledger: Ledger;
  let attachments: AttachmentsService;
  const owner = { userId: 1, role: 'user' as const, ip: '' };
  beforeEach(async () => {
    ledger = await Ledger.start(ENV);
    attachments = new AttachmentsService(
      ledger.database,
      new StoredObjects(ledger.database, ledger.config),
      ledger.config,
    );
  });
  afterEach(() => ledger.stop());

  const begin = async (files: { name: string; bytes: Buffer }[]) => {
    const { mailingId } = await ledger.run(1);
    const [message] = await ledger.query<{ id: string }>('SELECT id FROM messages');
    for (const file of files) await attachments.add(owner, Number(message!.id), file);
    const [runId = 0] = await ledger.database.transaction((tx) =>
      ledger.runs.beginScheduled(tx, [{ mailingId, occurrenceAt: new Date('2027-02-03T04:05:06Z') }]),
    );
    await ledger.planner.plan(runId);
    const [id = 0] = await ledger.ids(runId);
    const [claim] = await writeLedger(ledger.database, await ledger.worker(), [{ claim: id }]);
    if (!claim) throw new Error('not claimed');
    return { runId, messageId: Number(message!.id), claim };
  };
  const composer = (env: Record<string, string> = {}) => {
    const config = loadConfig({ ...ENV, ...env });
    const keys = new LinkKeys(ledger.database);
    const objects = new StoredObjects(ledger.database, config);
    return new LetterComposer(
      ledger.database,
      accountOf(config),
      config,
      keys,
      new ReturnAddresses(keys, config),
      objects,
      silent,
    );
  };

  it('carry what the message carried when it began, whole, with a signature that holds', async () => {
    const files = NAMES.map((name, i) => ({ name, bytes: randomBytes(1_000 * (i + 1)) }));
    const { messageId, claim } = await begin(files);
    for (const { id } of await attachments.list(owner, messageId)) await attachments.delete(owner, id);
    await ledger.query(`UPDATE attachment_files SET used_at = now() - interval '2 days'`);
    await new UnusedFiles(ledger.database, new StoredObjects(ledger.database, ledger.config), silent).remove();
    const letter = (await composer().letter(claim))!;
    const whole = Buffer.concat([letter.raw({ eightBitMime: true }), letter.tail!]);
    const mail = await simpleParser(whole);
    expect(mail.attachments.map(({ filename, contentDisposition }) => [filename, contentDisposition])).toEqual(
      NAMES.map((name) => [name.replaceAll('"', '_'), 'attachment']),
    );
    expect(mail.attachments.map(({ content }) => content)).toEqual(files.map(({ bytes }) => bytes));
    expect(mail.text).toContain('b');
    expect(mail.html).toContain('<p>b</p>');
    const { results } = await dkimVerify(whole, { resolver });
    expect(results.map(({ status }) => status.result)).toEqual(['pass']);
    const lines = whole.toString('latin1').split('\r\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(998);
    expect(whole.toString('latin1')).not.toMatch(/[^\r]\n|\r[^\n]|[^\x00-\x7f]/);
  });

  it('share their octets, and begin alike without attachments as ever', async () => {
    const { claim } = await begin([{ name: 'a.pdf', bytes: randomBytes(3_000) }]);
    const one = composer();
    const [first, second] = [await one.letter(claim), await one.letter({ ...claim, id: claim.id + 1 })];
    expect(first!.tail).toBe(second!.tail);
    await ledger.query('DELETE FROM run_attachments');
    const plain = (await composer().letter(claim))!;
    expect(plain.tail).toBeUndefined();
    const [, head = ''] = /\r\nMIME-Version: 1.0\r\n(.*)\r\n/.exec(plain.raw({ eightBitMime: true }).toString())!;
    expect(head).toBe('Content-Type: multipart/alternative;');
  });

  it('to those who failed carry the same', async () => {
    const { runId } = await begin([{ name: 'a.pdf', bytes: Buffer.from('one') }]);
    await ledger.query(`DELETE FROM message_attachments`);
    await ledger.query(`UPDATE runs SET status = 'done' WHERE id = $1`, [runId]);
    const resend = await ledger.database.transaction((tx) => beginResend(tx, runId));
    const names = await ledger.query('SELECT name FROM run_attachments WHERE run_id = $1', [resend]);
    expect(names).toEqual([{ name: 'a.pdf' }]);
  });

  it('are not made without what they should carry, and are once that is there again', async () => {
    const { claim } = await begin([{ name: 'a.pdf', bytes: Buffer.from('one') }]);
    await ledger.query('ALTER TABLE stored_objects RENAME TO gone');
    await ledger.query('CREATE TABLE stored_objects (LIKE gone)');
    const one = composer();
    const letter = (await one.letter(claim))!;
    expect(() => letter.raw({ eightBitMime: true })).toThrow('The attachment a.pdf is not stored any more.');
    await ledger.query('INSERT INTO stored_objects SELECT * FROM gone');
    expect((await one.letter(claim))?.tail?.toString()).toContain(Buffer.from('one').toString('base64'));
  });

  it('that are tests wait while the store does not work, and that is no try', async () => {
    const s3 = await FakeS3.start();
    try {
      const { messageId } = await begin([{ name: 'a.pdf', bytes: Buffer.from('one') }]);
      await ledger.query('DELETE FROM stored_objects');
      const [notice] = await ledger.query<{ id: string }>(
        `INSERT INTO notices (kind, user_id, email, payload) VALUES ('test', 1, 'owner@example.com', $1) RETURNING id`,
        [{ messageId, subject: 's', html: '<p>b</p>', text: 'b' }],
      );
      const config = loadConfig({ ...ENV, STORAGE_URL: s3.urlOf({ bucket: 'other' }) });
      const pool = new SmtpPool({ settings: parseSmtpUrl('smtp://127.0.0.1:1'), connections: 1 });
      const sender = new NoticeSender(ledger.database, pool, new StoredObjects(ledger.database, config), config);
      await sender.send(Number(notice!.id), accountOf(config).identity);
      expect(await ledger.query('SELECT status, attempts, last_response FROM notices')).toEqual([
        { status: 'pending', attempts: 0, lastResponse: expect.stringContaining('NoSuchBucket') as string },
      ]);
    } finally {
      await s3.stop();
    }
  });

  it('wait while the store does not work, each only for seconds', async () => {
    const s3 = await FakeS3.start();
    try {
      const { claim } = await begin([{ name: 'a.pdf', bytes: Buffer.from('one') }]);
      const [object] = await ledger.query<{ key: string; content: Buffer }>('DELETE FROM stored_objects RETURNING *');
      s3.objects.set(object!.key, object!.content);
      const [one, wrong] = [
        composer({ STORAGE_URL: s3.url }),
        composer({ STORAGE_URL: s3.urlOf({ bucket: 'other' }) }),
      ];
      expect(await wrong.letter(claim)).toBeNull();
      s3.broken = 503;
      expect(await one.letter(claim)).toBeNull();
      s3.broken = 0;
      s3.silent = 'all';
      expect(await one.letter(claim)).toBeNull();
      const since = performance.now();
      expect(await one.letter({ ...claim, id: claim.id + 1 })).toBeNull();
      expect(performance.now() - since).toBeLessThan(1_000);
      s3.hangUp();
      expect((await composer({ STORAGE_URL: s3.url }).letter(claim))?.tail).toBeDefined();
    } finally {
      await s3.stop();
    }
  });
});

const pem = readFileSync(join(__dirname, '../support/localhost.pem'), 'utf8');

describe('a letter with a tail', () => {
  let directory: string;
  let server: SmtpServer;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'tail-'))));
  afterEach(async () => {
    await server.stop();
    rmSync(directory, { recursive: true });
  });
  const parts = [attachmentPart({ name: 'a.bin', type: 'application/octet-stream', content: randomBytes(700_000) })];
  const { tail } = attach(attachedBoundary('run', 'secret'), parts);
  const head = Buffer.from('Subject: s\r\n\r\n.dotted\r\n');
  const letter = { from: 's@example.org', to: 'ok-a@example.org', raw: head, tail };

  it.each([
    ['pipelined', { pipelining: true }],
    ['step by step', {}],
    ['over TLS', { tls: true }],
  ])(
    'arrives whole, %s, and the next one, too',
    async (_, { tls, ...options }: { tls?: boolean; pipelining?: boolean }) => {
      const journal = join(directory, 'journal');
      server = await SmtpServer.start({
        journal,
        fsync: false,
        transcript: true,
        size: 5_000_000,
        ...options,
        ...(tls && { tls: { key: pem, cert: pem } }),
      });
      const query = tls ? '?requireTLS=true&rejectUnauthorized=false' : '';
      const pool = new SmtpPool({ settings: parseSmtpUrl(`smtp://127.0.0.1:${server.port}${query}`), connections: 1 });
      expect((await pool.transmit(letter)).kind).toBe('accepted');
      expect((await pool.transmit({ ...letter, tail: undefined, to: 'ok-b@example.org' })).kind).toBe('accepted');
      await pool.close();
      const sums = [Buffer.concat([head, tail]), head].map((text) => createHash('sha256').update(text).digest('hex'));
      expect(readJournal(journal).map(({ sha256 }) => sha256)).toEqual(sums);
      expect(server.transcript.join('\n')).toContain(`SIZE=${head.length + tail.length}`);
    },
  );

  it('that is larger than the server takes is not begun, and stops its mailing at once', async () => {
    server = await SmtpServer.start({ size: 100_000 });
    const pool = new SmtpPool({ settings: parseSmtpUrl(`smtp://127.0.0.1:${server.port}`), connections: 1 });
    const result = await pool.transmit(letter);
    await pool.close();
    expect(result).toMatchObject({ kind: 'unsendable', problem: 'too_large' });
    expect(server.stats.transactions).toBe(0);
    const { consequence, reason } = classify(result, { from: letter.from, to: letter.to });
    expect([reason, consequence]).toEqual(['message_too_large', { kind: 'park', what: 'mailing', after: 1 }]);
  });
});

describe('attachments by REST', () => {
  let api: TestApi;
  let ann: Person;
  let message: number;
  beforeAll(async () => {
    api = await startApi({ mediaPerUserMb: 1000 });
    ann = await api.person();
    message = (await api.call('POST', '/api/v1/messages', { token: ann.token, body: messageBody() })).body.id;
  });
  afterAll(() => api.close());

  const add = async (name: string, bytes: Buffer) => {
    const response = await fetch(`${api.url}/api/v1/messages/${message}/attachments`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ann.token}` },
      body: fileForm(bytes, name),
    });
    const body = (await response.json()) as { id: number; name: string; bytes: number; errors?: { code: string }[] };
    return { status: response.status, body, code: body.errors?.[0]?.code };
  };
  const list = async () => {
    const { text } = await api.call('GET', `/api/v1/messages/${message}/attachments`, { token: ann.token });
    return JSON.parse(text) as { id: number; name: string; type: string; bytes: number }[];
  };
  const stored = async () => (await api.database.first<{ n: number }>('SELECT count(*) AS n FROM stored_objects'))?.n;

  it('are listed, and share their bytes', async () => {
    const file = Buffer.from('%PDF');
    const [first, second] = [await add('plan.pdf', file), await add('plan.pdf', file)];
    expect([first.status, second.status]).toEqual([201, 201]);
    expect((await list()).map(({ name, type, bytes }) => [name, type, bytes])).toEqual([
      ['plan.pdf', 'application/pdf', 4],
      ['plan (2).pdf', 'application/pdf', 4],
    ]);
    expect(await stored()).toBe(1);
    for (const { id } of await list())
      expect((await api.call('DELETE', `/api/v1/attachments/${id}`, { token: ann.token })).status).toBe(204);
    expect(await list()).toEqual([]);
  });

  it.each([
    ['setup.exe', 'attachment_type'],
    ['invoice.pdf.JS', 'attachment_type'],
    // Shown from right to left its ending would look like .txt.
    ['annual\u202Etxt.scr', 'attachment_type'],
    ['run.bat . ', 'attachment_type'],
  ])('%s is refused', async (name, code) => {
    expect(await add(name, Buffer.from('MZ'))).toMatchObject({ status: 400, code });
  });

  it('have at most 10 MB together', async () => {
    const whole = await add('0.bin', Buffer.alloc(ATTACHMENTS_BYTES));
    expect(whole).toMatchObject({ status: 201, body: { bytes: ATTACHMENTS_BYTES } });
    await api.call('DELETE', `/api/v1/attachments/${whole.body.id}`, { token: ann.token });
    const half = Buffer.alloc(ATTACHMENTS_BYTES / 2, 1);
    const [one, two, three] = [
      await add('1.bin', half),
      await add('2.bin', half),
      await add('3.bin', Buffer.from('x')),
    ];
    expect([one.status, two.status, three.status, three.code]).toEqual([201, 201, 400, 'attachments_too_large']);
    expect(await add('4.bin', Buffer.alloc(ATTACHMENTS_BYTES + 1))).toMatchObject({
      status: 400,
      code: 'attachments_too_large',
    });
    expect(await add('5.bin', Buffer.alloc(0))).toMatchObject({ status: 400 });
  });
});
