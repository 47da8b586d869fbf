import { Readable } from 'node:stream';
import type { Config } from '../../src/config/config.module';
import * as doubt from '../../src/domain/bounce-doubt';
import type { Viewer } from '../../src/domain/permissions';
import { SuppressionBatches } from '../../src/features/consent/batches.service';
import { LinkKeys } from '../../src/features/consent/link-keys.service';
import { Outages } from '../../src/features/consent/outages.service';
import { suppressBounced } from '../../src/features/consent/suppression-sql';
import { SuppressionImports } from '../../src/features/consent/suppression-imports.service';
import { suppress, suppressClients } from '../../src/features/consent/suppressions';
import { SuppressionsService } from '../../src/features/consent/suppressions.service';
import type { Claim } from '../../src/features/ledger/claims';
import type { DeliveryRecord } from '../../src/features/ledger/records';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { Ledger, silent } from '../support/ledger';

/** A refusal for good is remembered; a mail server's failure is not held against its users; lists come in as files. */

const MANAGER: Viewer = { userId: 0, role: 'admin', via: 'cli' };
const OWNER: Viewer = { userId: 1, role: 'user' };

let ledger: Ledger;
let batches: SuppressionBatches;
let outages: Outages;

beforeAll(async () => {
  ledger = await Ledger.start();
  batches = new SuppressionBatches(ledger.database);
  outages = new Outages(ledger.database, silent);
});
afterAll(() => ledger?.stop());

type Answer = { reason: string; text?: string; refusal?: string; enhancedCode?: string } | 'ok';

const NOBODY = '550 5.1.1 no such user';
const TEXTS: Record<string, string> = {
  gone: '550 5.1.1 who?',
  domino: '550 domino@one.example not listed in Directory',
  hotmail: '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)',
};

let made = 0;

/** A run to these addresses whose letters one worker claims and gets these answers for. */
async function send(emails: string[], answerOf: (email: string) => Answer): Promise<number> {
  const known = await ledger.query<{ id: number; email: string }>(
    'SELECT id, email FROM clients WHERE owner_id = 1 AND email = ANY($1)',
    [emails],
  );
  const missing = emails.filter((email) => !known.some((client) => client.email === email));
  const clients = [...known.map(({ id }) => id), ...(await ledger.make.clients(1, missing))];
  const mailingId = await ledger.make.mailing({
    ownerId: 1,
    recipients: () => [],
    status: 'started',
    name: `M${++made}`,
  });
  await ledger.make.select(mailingId, clients);
  const runId = await ledger.make.run(mailingId);
  await ledger.planner.plan(runId);
  const ids = await ledger.ids(runId);
  const worker = await ledger.worker();
  const claims = await writeLedger(
    ledger.database,
    worker,
    ids.map((id) => ({ claim: id })),
  );
  const mine = claims.filter((claim): claim is Claim => claim !== null && claim.skippedFor === null);
  await writeLedger(
    ledger.database,
    worker,
    mine.map((claim) => ({ record: recordOf(claim, answerOf(claim.email)) })),
  );
  return runId;
}

const recordOf = (claim: Claim, answer: Answer): DeliveryRecord => ({
  deliveryId: claim.id,
  attempt: {
    number: 1,
    status: answer === 'ok' ? 'ok' : 'failed',
    replyCode: answer === 'ok' ? 250 : 550,
    enhancedCode: answer === 'ok' ? null : (answer.enhancedCode ?? null),
    serverResponse: answer === 'ok' ? '250 OK' : (answer.text ?? NOBODY),
    durationMs: 1,
    refusal: answer === 'ok' ? null : (answer.refusal ?? null),
  },
  status: answer === 'ok' ? 'sent' : 'failed',
  reason: answer === 'ok' ? null : answer.reason,
  triesUsed: 1,
  breaks: 0,
  lostReplies: 0,
  delayMs: null,
});

const states = async (runId: number) =>
  Object.fromEntries(
    (
      await ledger.query<{ email: string; state: string }>(
        `SELECT email, concat_ws(' ', status, reason) AS state FROM deliveries WHERE run_id = $1 ORDER BY id`,
        [runId],
      )
    ).map(({ email, state }) => [email, state]),
  );
const inForce = (domain: string) =>
  ledger.query<{ emailKey: string; reason: string; ownerId: number | null; detail: string }>(
    `SELECT email_key, reason, owner_id, detail FROM suppressions
      WHERE lifted_at IS NULL AND email_key LIKE '%@' || $1 ORDER BY email_key`,
    [domain],
  );
const people = (count: number, domain: string) => Array.from({ length: count }, (_, i) => `p${i + 1}@${domain}`);
const undecided = () => batches.undecided(MANAGER);
const DEAD: Answer = { reason: 'user_unknown' };

describe('a refusal for good', () => {
  it('suppresses the address for everybody, in the statement that records it; one that blames us does not', async () => {
    const answers: Record<string, Answer> = {
      'Gone@one.example': { reason: 'user_unknown', text: '550 5.1.1 who?' },
      'off@one.example': { reason: 'mailbox_disabled' },
      'nowhere@one.example': { reason: 'domain_unknown' },
      'bad@one.example': { reason: 'bad_address' },
      'policy@one.example': { reason: 'policy_refused' },
      'full@one.example': { reason: 'mailbox_full' },
      'guess@one.example': { reason: 'user_unknown', refusal: 'a wording that names nobody' },
      'fine@one.example': 'ok',
      'gmx1@one.example': {
        reason: 'user_unknown',
        text: '550-Requested action not taken: mailbox unavailable\n550-Reject due to policy restrictions.',
      },
      'gmx2@one.example': {
        reason: 'user_unknown',
        text: '550-Requested action not taken: mailbox unavailable\n550 invalid DNS MX or A/AAAA resource record',
      },
      'spam@one.example': { reason: 'user_unknown', text: '550 5.1.1 mailbox unavailable; it looks like spam' },
      'domino@one.example': { reason: 'user_unknown', text: '550 domino@one.example not listed in Directory' },
      'hotmail@one.example': {
        reason: 'user_unknown',
        text: '550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)',
        enhancedCode: '5.5.0',
      },
    };
    await send(Object.keys(answers), (email) => answers[email]!);
    expect(await inForce('one.example')).toEqual(
      ['bad', 'domino', 'gone', 'hotmail', 'nowhere', 'off'].map((name) => ({
        emailKey: `${name}@one.example`,
        reason: 'hard_bounce',
        ownerId: null,
        detail: TEXTS[name] ?? NOBODY,
      })),
    );
    const next = await send(Object.keys(answers), () => 'ok');
    expect(await states(next)).toEqual({
      'Gone@one.example': 'skipped hard_bounce',
      'off@one.example': 'skipped hard_bounce',
      'nowhere@one.example': 'skipped hard_bounce',
      'bad@one.example': 'skipped hard_bounce',
      'policy@one.example': 'sent',
      'full@one.example': 'sent',
      'guess@one.example': 'sent',
      'fine@one.example': 'sent',
      'gmx1@one.example': 'sent',
      'gmx2@one.example': 'sent',
      'spam@one.example': 'sent',
      'domino@one.example': 'skipped hard_bounce',
      'hotmail@one.example': 'skipped hard_bounce',
    });
  });

  it('is not offered to be sent again: only those who would get the letter are counted', async () => {
    const emails = ['gone@again.example', 'full@again.example', 'left@again.example'];
    const runId = await send(emails, (email) =>
      email.startsWith('gone')
        ? { reason: 'user_unknown', text: NOBODY }
        : { reason: 'mailbox_full', text: '552 5.2.2' },
    );
    const view = () => ledger.runs.get(MANAGER, runId);
    expect((await view()).counts.failed).toBe(3);
    expect(await ledger.runs.resendable(await view())).toBe(2);
    await ledger.query(`DELETE FROM clients WHERE email = 'left@again.example'`);
    expect(await ledger.runs.resendable(await view())).toBe(1);
    const many = await view();
    expect(await ledger.runs.resendable({ ...many, counts: { ...many.counts, failed: 10_001 } })).toBeNull();
  });

  it('that comes after the worker was taken for dead suppresses, too, and a guess does not', async () => {
    const { ids } = await ledger.plannedRun(2);
    const worker = await ledger.worker();
    const claims = await writeLedger(
      ledger.database,
      worker,
      ids.map((id) => ({ claim: id })),
    );
    await ledger.query('UPDATE workers SET stopped_at = now() WHERE id = $1', [worker]);
    await ledger.sweeper.sweep();
    const [claim, guessed] = claims;
    await writeLedger(ledger.database, worker, [
      { record: recordOf(claim!, DEAD) },
      { record: recordOf(guessed!, { reason: 'user_unknown', text: '550 5.1.0 odd', refusal: '550 5.1.0 odd' }) },
    ]);
    expect(await inForce(claim!.email.split('@')[1]!)).toMatchObject([{ emailKey: claim!.email }]);
    expect(
      await ledger.query('SELECT refusal, status FROM attempts WHERE delivery_id = $1', [guessed!.id]),
    ).toMatchObject([{ refusal: '550 5.1.0 odd', status: 'failed' }]);
  });

  it('of two workers at once for the same addresses is noted once and blocks nobody', async () => {
    const emails = people(40, 'twice.example');
    await ledger.make.clients(1, emails);
    await Promise.all([1, 2, 3].map(() => send(emails, () => DEAD)));
    expect(await inForce('twice.example')).toHaveLength(40);
  });
});

describe('a mail server that suddenly refuses many', () => {
  const DOMAIN = 'provider.example';
  const emails = people(300, DOMAIN);
  const refused = emails.slice(0, 200);

  it('is recognised: nobody is suppressed, somebody is asked once, and later refusals are only noted', async () => {
    await send(emails, () => 'ok');
    await send(emails, (email) => (refused.includes(email) ? DEAD : 'ok'));
    await Promise.all([outages.look(), new Outages(ledger.database, silent).look()]);
    expect(await inForce(DOMAIN)).toEqual([]);
    const [asked, ...more] = (await undecided()).filter(({ domain }) => domain === DOMAIN);
    expect(more).toEqual([]);
    expect(await batches.get(MANAGER, asked!.id)).toMatchObject({
      kind: 'outage',
      lifted: 200,
      inForce: 0,
      decision: null,
      refused: 200,
    });
    expect(await batches.undecided(OWNER)).toEqual([]);
    const next = await send([...emails, 'new@provider.example'], (email) => (email.startsWith('new') ? DEAD : 'ok'));
    expect(Object.values(await states(next)).filter((state) => state === 'sent')).toHaveLength(300);
    await outages.look();
    expect(await inForce(DOMAIN)).toEqual([]);
    expect((await undecided()).filter(({ domain }) => domain === DOMAIN)).toMatchObject([{ id: asked!.id }]);
    expect(await batches.get(MANAGER, asked!.id)).toMatchObject({ lifted: 201 });
  });

  it('may be taken at its word by a manager, for all of them and for those that follow; and undone in one call', async () => {
    const [asked] = (await undecided()).filter(({ domain }) => domain === DOMAIN);
    await expect(async () => batches.suppressAll(OWNER, asked!.id)).rejects.toThrow('role');
    expect(await batches.suppressAll(MANAGER, asked!.id)).toBe(201);
    expect(await inForce(DOMAIN)).toHaveLength(201);
    expect(await batches.get(MANAGER, asked!.id)).toMatchObject({ decision: 'suppressed', inForce: 201, lifted: 0 });
    await send(['later@provider.example'], () => DEAD);
    await outages.look();
    expect(await inForce(DOMAIN)).toHaveLength(202);
    expect((await undecided()).map(({ domain }) => domain)).not.toContain(DOMAIN);
    expect(await batches.undo(MANAGER, { batchId: asked!.id })).toBe(201);
    expect(await batches.get(MANAGER, asked!.id)).toMatchObject({ decision: 'undone', inForce: 0, lifted: 201 });
    expect(await inForce(DOMAIN)).toMatchObject([{ emailKey: 'later@provider.example' }]);
    const lifted = await batches.undo(MANAGER, { from: new Date(Date.now() - 60_000), provider: 'Provider.Example' });
    expect(lifted).toBe(1);
    await expect(batches.undo(OWNER, { from: new Date(0) })).rejects.toThrow('role');
    await expect(batches.undo(OWNER, { batchId: asked!.id })).rejects.toThrow('does not exist');
  });

  it('is not one where many people complain or unsubscribe, as a mail provider reports it', async () => {
    const at = 'angry.example';
    const list = people(60, at);
    await send(list, () => 'ok');
    const runId = await send(list, () => 'ok');
    await ledger.query(
      `INSERT INTO suppressions (owner_id, listed_for, email_key, address_hash, reason, source, delivery_id)
       SELECT CASE WHEN d.id % 2 = 0 THEN 1 END, 1, d.email, address_hash(d.email),
              CASE WHEN d.id % 2 = 0 THEN 'unsubscribed' ELSE 'complaint' END, 'inbound', d.id
         FROM deliveries d WHERE d.run_id = $1`,
      [runId],
    );
    await send([`dead@${at}`], () => DEAD);
    await outages.look();
    expect((await undecided()).map(({ domain }) => domain)).not.toContain(at);
    expect((await inForce(at)).filter(({ reason }) => reason === 'hard_bounce')).toMatchObject([
      { emailKey: `dead@${at}` },
    ]);
  });

  it('taken at its word, binds whom the report bound: only the owner, or only for a while', async () => {
    const at = 'unsigned.example';
    const row = (name: string) =>
      `SELECT '${name}@${at}'::text AS email, 1::bigint AS owner_id, 'gone'::text AS detail, NULL::bigint AS delivery_id`;
    await ledger.query(
      `INSERT INTO suppression_batches (kind, domain, until) VALUES ('outage', $1, app_now() + interval '1 hour')`,
      [at],
    );
    await ledger.query(suppressBounced(row('owner'), 'inbound', 'owner'));
    await ledger.query(suppressBounced(row('both'), 'inbound', 'owner'));
    await ledger.query(suppressBounced(row('both'), 'inbound'));
    const [{ id } = { id: 0 }] = (await undecided()).filter(({ domain }) => domain === at);
    // Temporary ones that the outage took back.
    await ledger.query(
      `INSERT INTO suppressions (listed_for, email_key, address_hash, reason, source, expires_at, lifted_at, lift_reason, batch_id)
       VALUES (1, 'while@${at}', address_hash('while@${at}'), 'hard_bounce', 'inbound', app_now() + interval '90 days',
               app_now(), 'outage', $1)`,
      [id],
    );
    // One that stood there for a while, when its address was refused for good.
    await ledger.query(
      `INSERT INTO suppressions (listed_for, email_key, address_hash, reason, source, expires_at)
       VALUES (1, 'stood@${at}', address_hash('stood@${at}'), 'hard_bounce', 'inbound', app_now() + interval '90 days')`,
    );
    await ledger.query(
      `INSERT INTO suppressions (listed_for, email_key, address_hash, reason, source, lifted_at, lift_reason, batch_id)
       VALUES (1, 'stood@${at}', address_hash('stood@${at}'), 'hard_bounce', 'smtp', app_now(), 'outage', $1)`,
      [id],
    );
    await batches.suppressAll(MANAGER, id);
    expect(
      await ledger.query(
        `SELECT email_key, owner_id, expires_at IS NOT NULL AS expires FROM suppressions
          WHERE lifted_at IS NULL AND email_key LIKE '%@' || $1 ORDER BY email_key, owner_id`,
        [at],
      ),
    ).toEqual([
      { emailKey: `both@${at}`, ownerId: 1, expires: false },
      { emailKey: `both@${at}`, ownerId: null, expires: false },
      { emailKey: `owner@${at}`, ownerId: 1, expires: false },
      { emailKey: `stood@${at}`, ownerId: null, expires: false },
      { emailKey: `while@${at}`, ownerId: null, expires: true },
    ]);
  });

  it('is not one where a part of a large list has grown old', async () => {
    const list = people(600, 'large.example');
    await send(list, (email) => (list.indexOf(email) < 80 ? DEAD : 'ok'));
    await outages.look();
    expect(await inForce('large.example')).toHaveLength(80);
    expect((await undecided()).map(({ domain }) => domain)).not.toContain('large.example');
  });

  it('is our own relay if it is so at all domains', async () => {
    await ledger.query(`UPDATE attempts SET created_at = created_at - interval '2 hours'`);
    await ledger.query(`UPDATE suppressions SET created_at = created_at - interval '2 hours'`);
    const everywhere = Array.from({ length: 90 }, (_, i) => `a@host${i}.example`);
    await send(everywhere, () => ({ reason: 'domain_unknown', text: '550 5.1.2 Domain not found' }));
    await outages.look();
    const asked = (await undecided()).filter(({ domain }) => domain === null);
    expect(await batches.get(MANAGER, asked[0]!.id)).toMatchObject({ lifted: 90, inForce: 0 });
    await send(['a@host91.example'], () => DEAD);
    expect(await inForce('host91.example')).toEqual([]);
  });
});

describe('among very many letters of an hour', () => {
  const anHourAgo = async () => {
    for (const table of ['attempts', 'suppressions'])
      await ledger.query(`UPDATE ${table} SET created_at = created_at - interval '2 hours'`);
    await ledger.query(`UPDATE suppression_batches SET until = until - interval '2 hours' WHERE kind = 'outage'`);
  };
  /** As many letters to others as are looked at, and some more. */
  const manyOthers = async () => {
    const runId = await send(['other@others.example'], () => 'ok');
    await ledger.query(
      `INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status)
       SELECT d.id, d.run_id, r.mailing_id, r.owner_id, d.client_id, 1, n, 'ok'
         FROM deliveries d JOIN runs r ON r.id = d.run_id, generate_series(2, 21000) n WHERE d.run_id = $1`,
      [runId],
    );
  };

  it('a small domain that refuses everybody is found', async () => {
    await anHourAgo();
    const all = people(60, 'small.example');
    await send(all, () => 'ok');
    await send(all, () => DEAD);
    await manyOthers();
    await outages.look();
    expect(await inForce('small.example')).toEqual([]);
    expect((await undecided()).map(({ domain }) => domain)).toContain('small.example');
  });

  it('a domain whose letters all went out early is not blamed for the few that are dead', async () => {
    await anHourAgo();
    const list = people(600, 'early.example');
    await send(list, (email) => (list.indexOf(email) < 60 ? DEAD : 'ok'));
    await manyOthers();
    await outages.look();
    expect(await inForce('early.example')).toHaveLength(60);
    expect((await undecided()).map(({ domain }) => domain)).not.toContain('early.example');
  });
});

describe('a list of addresses', () => {
  const take = (imports: SuppressionImports, csv: string | Buffer, more = {}) =>
    imports.take(OWNER, { fileName: 'list.csv', ...more }, Readable.from([Buffer.from(csv)]));
  let imports: SuppressionImports;
  beforeAll(() => (imports = new SuppressionImports(ledger.database, batches, ledger.config)));

  it('comes back from its own export, and never lifts anything', async () => {
    const keys = new LinkKeys(ledger.database);
    const suppressions = new SuppressionsService(ledger.database, keys);
    const csv =
      'email,reason,detail,created_at\nA@list.example,unsubscribed,asked,2024-05-06T07:08:09Z\nb@list.example,manual,,\n';
    const first = await take(imports, csv);
    expect(first).toMatchObject({ rows: 2, added: 2, known: 0, ignored: 0, rejected: 0, inForce: 2, problems: [] });
    let exported = '';
    for await (const piece of suppressions.exportCsv(OWNER, { search: 'list.example' })) exported += piece;
    expect(exported).toContain('a@list.example,unsubscribed,owner,,2024-05-06T07:08:09');
    const again = await take(imports, exported);
    expect(again).toMatchObject({ rows: 2, added: 0, known: 2 });
    expect(await inForce('list.example')).toMatchObject([{ ownerId: 1 }, { ownerId: 1 }]);
    expect(await batches.undo(OWNER, { batchId: again.id })).toBe(0);
    // A user takes back what they excluded themselves, not what people said.
    expect(await batches.undo(OWNER, { batchId: first.id })).toBe(1);
    expect(await batches.get(OWNER, first.id)).toMatchObject({ decision: null, inForce: 1 });
    expect(await inForce('list.example')).toMatchObject([{ emailKey: 'a@list.example' }]);
    expect(await batches.undo(MANAGER, { batchId: first.id })).toBe(1);
    expect(await batches.get(OWNER, first.id)).toMatchObject({ decision: 'undone', inForce: 0 });
  });

  it('that was exported makes nothing last for ever that was to end', async () => {
    const suppressions = new SuppressionsService(ledger.database, new LinkKeys(ledger.database));
    await ledger.query(
      `INSERT INTO suppressions (listed_for, email_key, address_hash, reason, source, expires_at)
       SELECT 1, email, address_hash(email), 'hard_bounce', 'inbound', app_now() + days * interval '1 day'
         FROM (VALUES ('over@rest.example', -1), ('rests@rest.example', 30), ('gone@rest.example', NULL)) r (email, days)`,
    );
    const listed = await suppressions.list(OWNER, { limit: 10, search: 'rest.example' });
    expect(listed.items.map(({ email }) => email)).toEqual(['gone@rest.example', 'rests@rest.example']);
    let exported = '';
    for await (const piece of suppressions.exportCsv(OWNER, { search: 'rest.example' })) exported += piece;
    expect(exported).not.toContain('over@');
    expect(exported).toContain('rests@');
    expect(await take(imports, exported)).toMatchObject({ rows: 2, added: 1, ignored: 1 });
    const forOwner = (await inForce('rest.example')).filter(({ ownerId }) => ownerId === 1);
    expect(forOwner).toMatchObject([{ emailKey: 'gone@rest.example' }]);
  });

  it('that is taken back leaves excluded who said no themselves, and who was excluded by hand', async () => {
    const suppressions = new SuppressionsService(ledger.database, new LinkKeys(ledger.database));
    const at = (name: string) => `${name}@back.example`;
    const [bulk] = await ledger.make.clients(1, [at('bulk')]);
    const lines = 'link,unsubscribed hand,manual bulk,manual alone,unsubscribed'.split(' ');
    const list = await take(imports, `email,reason\n${lines.join('\n').replaceAll(',', '@back.example,')}\n`);
    await ledger.database.transaction(async (tx) => {
      const hash = await tx.first<{ hash: Buffer }>('SELECT address_hash($1) AS hash', [at('link')]);
      const left = { ownerId: 1, mailingId: null, emailKey: at('link'), addressHash: hash!.hash };
      await suppress(tx, { ...left, reason: 'unsubscribed', source: 'one_click' });
      await suppressClients(tx, 1, [bulk!]);
    });
    await suppressions.add(OWNER, { email: at('hand') }, 'api');
    expect(await batches.undo(MANAGER, { batchId: list.id })).toBe(1);
    expect(await inForce('back.example')).toMatchObject(
      ['bulk', 'hand', 'link'].map((name) => ({ emailKey: at(name) })),
    );
    expect(await batches.get(MANAGER, list.id)).toMatchObject({ decision: 'undone', added: 4, inForce: 0, lifted: 1 });
  });

  it('that is taken back leaves excluded whom another list names, until that one is taken back, too', async () => {
    const emails = async () => (await inForce('two.example')).map(({ emailKey }) => emailKey);
    const first = await take(imports, 'email,reason\na@two.example,manual\nb@two.example,manual\n');
    const twice = await take(
      imports,
      'email,reason\nB@two.example,manual\nc@two.example,manual\nb@two.example,manual\n',
    );
    const third = await take(imports, 'email,reason\nb@two.example,manual\n');
    expect(twice).toMatchObject({ added: 1, known: 2 });
    expect(await batches.undo(OWNER, { batchId: first.id })).toBe(1);
    expect(await emails()).toEqual(['b@two.example', 'c@two.example']);
    expect(await batches.get(OWNER, first.id)).toMatchObject({ decision: 'undone', inForce: 0, lifted: 1 });
    expect(await batches.get(OWNER, twice.id)).toMatchObject({ decision: null, inForce: 2 });
    // What is taken back names nobody any more.
    expect(await batches.undo(OWNER, { batchId: third.id })).toBe(0);
    expect(await batches.undo(OWNER, { batchId: twice.id })).toBe(2);
    expect(await emails()).toEqual([]);
  });

  it('that is taken in while another is taken back keeps its addresses excluded', async () => {
    const names = Array.from({ length: 200 }, (_, i) => `n${i}@race.example`);
    const csv = `email,reason\n${names.join(',manual\n')},manual\n`;
    for (let n = 0; n < 5; n++) {
      const first = await take(imports, csv);
      const [second] = await Promise.all([take(imports, csv), batches.undo(OWNER, { batchId: first.id })]);
      expect(await inForce('race.example')).toHaveLength(200);
      expect(await batches.undo(OWNER, { batchId: second.id })).toBe(200);
      expect(await inForce('race.example')).toEqual([]);
    }
  });

  it('that breaks off or is no list changes nothing, and says why', async () => {
    const broken = new Readable({ read() {} });
    broken.push('email,reason\nbroken@off.example,manual\n');
    setTimeout(() => broken.destroy(new Error('gone')), 20);
    await expect(imports.take(OWNER, {}, broken)).rejects.toThrow('upload');
    await expect(take(imports, 'name,comment\nx,y\n')).rejects.toThrow('email');
    await expect(take(imports, '')).rejects.toThrow('empty');
    await expect(take(imports, 'email\n')).rejects.toThrow('no addresses');
    const small = { ...ledger.config, importMaxBytes: 10 } as Config;
    await expect(
      take(new SuppressionImports(ledger.database, batches, small), 'email\na@big.example\n'),
    ).rejects.toThrow('10');
    expect(await inForce('off.example')).toEqual([]);
    expect(await inForce('big.example')).toEqual([]);
    expect(await ledger.query('SELECT FROM suppression_rows')).toEqual([]);
    expect((await batches.list(OWNER, { limit: 50 })).items).toHaveLength(17);
  });

  it('whose first lines the database lost in a crash is not taken for whole', async () => {
    const lines = Array.from({ length: 20_000 }, (_, i) => `crash${i}@crash.example,${'x'.repeat(60)}`);
    async function* upload() {
      const text = Buffer.from(`email,detail\n${lines.join('\n')}\n`);
      const half = text.length >> 1;
      yield text.subarray(0, half);
      for (let n = 0; n === 0; await new Promise((resolve) => setTimeout(resolve, 10)))
        n = (await ledger.query<{ n: number }>('SELECT count(*) AS n FROM suppression_rows'))[0]!.n;
      await ledger.query('TRUNCATE suppression_rows');
      yield text.subarray(half);
    }
    await expect(imports.take(OWNER, {}, Readable.from(upload()))).rejects.toThrow('upload');
    expect(await inForce('crash.example')).toEqual([]);
  });

  it('a user can not lift what a manager keeps from everybody', async () => {
    const suppressions = new SuppressionsService(ledger.database, new LinkKeys(ledger.database));
    await ledger.make.clients(1, ['blocked@all.example']);
    const input = { email: 'blocked@all.example', scope: 'installation' } as const;
    await expect(suppressions.add(OWNER, input, 'api')).rejects.toThrow('role');
    const admin = { ...MANAGER, userId: await ledger.make.user({ role: 'admin' }) };
    const { id } = await suppressions.add(admin, input, 'api');
    await expect(suppressions.lift(OWNER, id, 'mine')).rejects.toThrow('role');
    await suppressions.lift(admin, id, 'a mistake');
  });

  it('names the lines that can not be used and takes the others', async () => {
    const batch = await take(imports, 'email;reason\nok@lines.example;bounce\nnot an address;bounce\nx@y;z;too;many\n');
    expect(batch).toMatchObject({ rows: 3, added: 1, rejected: 2 });
    expect(batch.problems.map(({ line, errors }) => [line, errors[0]?.field])).toEqual([
      [3, 'email'],
      [4, 'line'],
    ]);
    expect(await inForce('lines.example')).toMatchObject([{ reason: 'hard_bounce' }]);
  });

  it('of a hundred thousand lines is taken at once', async () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => `u${i}@many.example`);
    const batch = await take(imports, `email\n${lines.join('\n')}\n`);
    expect(batch).toMatchObject({ rows: 100_000, added: 100_000, inForce: 100_000 });
    expect(await ledger.query('SELECT FROM suppression_rows')).toEqual([]);
  });
});

it.each([
  ['ABOUT_US', doubt.ABOUT_US],
  ['SAYS_LITTLE', doubt.SAYS_LITTLE],
  ['CLEAR_CODE', doubt.CLEAR_CODE],
])('Postgres and JavaScript find the same by %s', async (_, expression) => {
  const texts = [
    ...['against our policy', 'SPF failed', 'spf2 failed', 'dns-error', 'listed here', 'not listed', 'unlisted'],
    ...['message rejected', 'content  rejected', 'antispam', 'is spam.', 'Mailbox unavailable', 'try again', 'LATER'],
    ...['5.1.1', '5.1.10', '5.1.11', '5.2.1', '5.5.0', '15.1.1', '5x1.1', '', 'no such user'],
  ];
  const [row] = await ledger.query<{ found: string[] }>(
    `SELECT array_agg(t ORDER BY n) AS found FROM unnest($1::text[]) WITH ORDINALITY x (t, n) WHERE t ~* ${doubt.inSql(expression)}`,
    [texts],
  );
  const found = texts.filter((text) => new RegExp(expression, 'i').test(text));
  expect(row!.found).toEqual(found);
  expect(found.length).toBeGreaterThan(2);
});
