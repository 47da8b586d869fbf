import { PersonsService } from '../../src/features/persons/persons.service';
import { noteSoftBounce } from '../../src/features/consent/address-health';
import { recogniseErased, suppress } from '../../src/features/consent/suppressions';
import { audit } from '../../src/features/audit/audit';
import { noteEvent } from '../../src/features/ledger/events';
import { writeLedger } from '../../src/features/sending/write-ledger';
import { Ledger } from '../support/ledger';

/** What a person may ask for: a copy of all that is kept about them, and that it is forgotten. */

const OPERATOR = { userId: 0, role: 'admin', via: 'cli' } as const;
const OWNER = { userId: 1, role: 'user' } as const;

let ledger: Ledger;
let persons: PersonsService;
let other: number;

beforeAll(async () => {
  ledger = await Ledger.start();
  persons = new PersonsService(ledger.database, ledger.runs);
  other = await ledger.make.user();
});
afterAll(() => ledger?.stop());

/** Every table and column of the database whose text contains this, so that no place is forgotten. */
async function placesOf(text: string): Promise<string[]> {
  const tables = await ledger.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables
      WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const [row] = await ledger.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM ${name} t WHERE t::text ILIKE '%' || $1 || '%'`,
      [text],
    );
    if (row!.n > 0) found.push(name);
  }
  return found;
}

/** A person of whom something stands in each place that may name them. */
async function known(local: string) {
  const email = `${local}@people.example`;
  const [clientId] = await ledger.make.clients(1, [email]);
  const mailingId = await ledger.make.mailing({ ownerId: 1, status: 'started' });
  await ledger.query(`UPDATE mailings SET audience = 'selected' WHERE id = $1`, [mailingId]);
  await ledger.make.select(mailingId, [clientId!]);
  const runId = await ledger.make.run(mailingId);
  await ledger.planner.plan(runId);
  const [deliveryId] = await ledger.ids(runId);
  await ledger.query(
    `UPDATE clients SET full_name = 'Ann', comment = 'a friend', fields = '{"city":"Perm"}' WHERE id = $1`,
    [clientId],
  );
  await ledger.query(
    `INSERT INTO attempts (delivery_id, run_id, mailing_id, owner_id, client_id, worker_id, attempt_number, status,
       reply_code, enhanced_code, server_response)
     VALUES ($1, $2, $3, 1, $4, 1, 1, 'failed', 550, '5.1.1', $5)`,
    [deliveryId, runId, mailingId, clientId, `550 5.1.1 <${email.toUpperCase()}>: no such user`],
  );
  await ledger.database.transaction(async (tx) => {
    await noteEvent(tx, { deliveryId: deliveryId!, kind: 'bounced', source: 'smtp' });
    const hash = (await tx.first<{ hash: Buffer }>('SELECT address_hash($1) AS hash', [email]))!.hash;
    const what = { mailingId: null, emailKey: email, addressHash: hash, source: 'smtp' } as const;
    await suppress(tx, { ...what, ownerId: 1, reason: 'hard_bounce', detail: `550 ${email} unknown` });
    await suppress(tx, { ...what, ownerId: null, reason: 'complaint' });
    await audit(tx, OWNER, 'suppression.lift', { type: 'suppression' }, { why: `asked by ${email}, see jo${email}` });
  });
  await ledger.query(`UPDATE delivery_events SET reply = $2 WHERE delivery_id = $1`, [deliveryId, `no ${email}`]);
  await ledger.query(`INSERT INTO notices (kind, user_id, email, last_response) VALUES ('test', 1, $1, $1)`, [email]);
  const [upload] = await ledger.query<{ id: number }>(
    `INSERT INTO imports (owner_id, status) VALUES (1, 'done') RETURNING id`,
  );
  await ledger.query('INSERT INTO import_rejected (import_id, line, record) VALUES ($1, 2, $2)', [
    upload!.id,
    JSON.stringify([email.toUpperCase(), 'Ann']),
  ]);
  await ledger.query('INSERT INTO import_files (import_id, part, bytes) VALUES ($1, 0, $2)', [
    upload!.id,
    Buffer.from(email),
  ]);
  await ledger.query(`INSERT INTO account_log (account_id, event, detail) VALUES (1, 'waiting', $1)`, [`451 ${email}`]);
  const [form] = await ledger.query<{ id: number }>(
    `INSERT INTO signup_forms (owner_id, token, name, language, title) VALUES (1, $1, 'Site', 'en', 'News') RETURNING id`,
    [local],
  );
  await ledger.query(
    `INSERT INTO signups (form_id, owner_id, email, consent_text, ip, expires_at, client_id)
     VALUES ($1, 1, $2, 'A letter each week', '192.0.2.1', now(), NULL), ($1, 1, $3, '', '192.0.2.1', now(), $4)`,
    [form!.id, email.toUpperCase(), `second.${email}`, clientId],
  );
  await ledger.query(`INSERT INTO notices (kind, user_id, email) VALUES ('signup', 1, $1)`, [email]);
  // A report of a forward, which names another address; a letter that the person wrote, about nothing of ours.
  const letter = (values: { address: string; from: string; ownerId: number | null; deliveryId: number | null }) =>
    ledger.query(
      `INSERT INTO inbound_letters (source, envelope_from, envelope_to, digest, raw, size, kind, address, reply, owner_id, delivery_id)
       VALUES ('pipe', $1, 'b@news.example.org', sha256(uuid_send(gen_random_uuid())), $2, 1, 'soft', $3, $4, $5, $6)`,
      [values.from, Buffer.from(email), values.address, `550 ${email}`, values.ownerId, values.deliveryId],
    );
  await letter({ address: `${local}@elsewhere.example`, from: '', ownerId: 1, deliveryId: deliveryId! });
  await letter({ address: email, from: email.toUpperCase(), ownerId: null, deliveryId: null });
  await ledger.database.transaction((tx) =>
    noteSoftBounce(tx, {
      emailKey: email,
      at: new Date('2026-11-28T12:00:00Z'),
      isFull: false,
      reply: `452 ${email}`,
      deliveryId: deliveryId!,
      ownerId: 1,
    }),
  );
  return { email, clientId: clientId!, mailingId, runId, deliveryId: deliveryId! };
}

it('exports all that is kept about a client', async () => {
  const { email, clientId, deliveryId, mailingId } = await known('exported');
  const copy = await persons.export(OWNER, clientId);
  expect(copy).toMatchObject({
    addresses: [email, `second.${email}`],
    clients: [{ id: clientId, email, fullName: 'Ann', comment: 'a friend', fields: { city: 'Perm' }, tags: [] }],
    suppressions: [{ reason: 'hard_bounce' }, { reason: 'complaint' }],
    selectedFor: [{ mailingId }],
    letters: [{ deliveryId, email, attempts: [{ status: 'failed' }], events: [{ kind: 'bounced' }] }],
    returned: [{ kind: 'soft', address: 'exported@elsewhere.example', deliveryId }],
    bouncedOn: [{ email, days: ['2026-11-28'] }],
    notices: [
      { kind: 'test', email },
      { kind: 'signup', email },
    ],
    signups: [
      { form: 'Site', email: email.toUpperCase(), consentText: 'A letter each week', ip: '192.0.2.1' },
      { email: `second.${email}` },
    ],
  });
  expect(await persons.exportAddress(OPERATOR, email.toUpperCase())).toMatchObject({
    clients: [{ id: clientId }],
    returned: [{ deliveryId }, { envelopeFrom: email.toUpperCase(), deliveryId: null }],
    bouncedOn: [{ email, lastReply: `452 ${email}` }],
  });
});

it("shows an owner nothing of what servers said of other owners' letters", async () => {
  const { email, clientId, deliveryId } = await known('quoted');
  const said = (text: string, ownerId: number) =>
    ledger.database.transaction(async (tx) => {
      const hash = (await tx.first<{ hash: Buffer }>('SELECT address_hash($1) AS hash', [email]))!.hash;
      const what = { mailingId: null, emailKey: email, addressHash: hash, source: 'inbound', deliveryId } as const;
      await noteSoftBounce(tx, {
        emailKey: email,
        at: new Date('2026-11-29T12:00:00Z'),
        isFull: false,
        reply: text,
        deliveryId,
        ownerId,
      });
      await suppress(tx, { ...what, ownerId: null, listedFor: ownerId, reason: 'hard_bounce', detail: text });
    });
  await said('451 from <b+TOKEN@news.example.org>', other);
  const copy = await persons.export(OWNER, clientId);
  expect(JSON.stringify(copy)).not.toContain('TOKEN');
  expect(copy.bouncedOn).toMatchObject([{ days: ['2026-11-28', '2026-11-29'] }]);
  // One's own is shown.
  expect(copy.suppressions).toMatchObject([{ detail: `550 ${email} unknown` }, {}, { reason: 'hard_bounce' }]);
  const all = JSON.stringify(await persons.exportAddress(OPERATOR, email));
  expect(all.split('TOKEN')).toHaveLength(3);
});

it('shows an owner nothing of the words by which others lifted what binds everybody', async () => {
  const { email, clientId, deliveryId } = await known('lifted');
  const lifted = (ownerId: number, liftReason: string, reason: 'hard_bounce' | 'invalid') =>
    ledger.database.transaction(async (tx) => {
      const hash = (await tx.first<{ hash: Buffer }>('SELECT address_hash($1) AS hash', [email]))!.hash;
      const what = { mailingId: null, emailKey: email, addressHash: hash, source: 'inbound', deliveryId } as const;
      await suppress(tx, { ...what, ownerId: null, listedFor: ownerId, reason });
      await tx.affected(
        `UPDATE suppressions SET lifted_at = app_now(), lift_reason = $3
          WHERE email_key = $1 AND reason = $2 AND owner_id IS NULL AND lifted_at IS NULL`,
        [email, reason, liftReason],
      );
    });
  await lifted(other, 'Our customer 4711 called', 'hard_bounce');
  await lifted(other, 'outage', 'hard_bounce');
  await lifted(1, 'She called us', 'invalid');
  const copy = await persons.export(OWNER, clientId);
  expect(JSON.stringify(copy)).not.toContain('4711');
  const reasons = copy.suppressions.map((each) => (each as { liftReason: string | null }).liftReason);
  expect(reasons).toEqual([null, null, null, 'outage', 'She called us']);
  expect(JSON.stringify(await persons.exportAddress(OPERATOR, email))).toContain('4711');
});

it("gives nobody another owner's client", async () => {
  const { clientId } = await known('foreign');
  const stranger = { userId: other, role: 'user' } as const;
  await expect(persons.export(stranger, clientId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(persons.erase(stranger, clientId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(persons.erase({ userId: other, role: 'manager' }, clientId)).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
});

it('erases every trace of an address, and keeps numbers, states and suppressions', async () => {
  const { email, clientId, runId, deliveryId } = await known('erased');
  const before = await ledger.query('SELECT status, reason FROM deliveries WHERE run_id = $1', [runId]);
  expect((await placesOf(email)).length).toBeGreaterThan(6);
  expect(await placesOf(email)).toEqual(expect.arrayContaining(['inbound_letters', 'address_health']));
  expect(await persons.erase(OWNER, clientId)).toEqual({ clients: 1, letters: 1 });
  expect(await ledger.query('SELECT FROM inbound_letters WHERE delivery_id = $1', [deliveryId])).toEqual([]);
  // The audit log keeps the longer address that only ends like this one.
  expect(await placesOf(email)).toEqual(['audit_log']);
  const [entry] = await ledger.query<{ why: string }>(
    `SELECT detail->>'why' AS why FROM audit_log WHERE detail::text LIKE '%erased@people%'`,
  );
  expect(entry).toEqual({ why: 'asked by [erased], see joerased@people.example' });
  const after = await ledger.query<{ email: string }>(
    'SELECT email, status, reason FROM deliveries WHERE run_id = $1',
    [runId],
  );
  expect(after).toEqual([
    {
      email: expect.stringMatching(/^erased:[0-9a-f]{32}:\d+$/) as string,
      status: 'skipped',
      reason: 'client_deleted',
    },
  ]);
  expect(before).toHaveLength(1);
  expect(await ledger.query('SELECT server_response FROM attempts WHERE delivery_id = $1', [deliveryId])).toEqual([
    { serverResponse: '550 5.1.1 [erased]' },
  ]);
  expect(
    await ledger.query(`SELECT action FROM audit_log WHERE object_id = $1 AND action = 'person.erase'`, [clientId]),
  ).toHaveLength(1);

  // Whoever adds the address again does not write to it.
  const [again] = await ledger.make.clients(1, [email]);
  await ledger.database.transaction((tx) => recogniseErased(tx, 1, again!));
  const next = await ledger.make.mailing({ ownerId: 1, status: 'started' });
  const nextRun = await ledger.make.run(next);
  await ledger.planner.plan(nextRun);
  expect(
    await ledger.query('SELECT status, reason FROM deliveries WHERE run_id = $1 AND client_id = $2', [nextRun, again]),
  ).toEqual([{ status: 'skipped', reason: 'complaint' }]);
});

it('erases addresses that a client had before', async () => {
  const { email, clientId } = await known('renamed');
  await ledger.query(`UPDATE clients SET email = 'new@people.example' WHERE id = $1`, [clientId]);
  await persons.erase(OWNER, clientId);
  expect(await placesOf('new@people.example')).toEqual([]);
  expect(await placesOf(email)).toEqual(['audit_log']);
});

it('leaves what other owners keep, and what binds them', async () => {
  const { email, clientId } = await known('shared');
  const [theirs] = await ledger.make.clients(other, [email]);
  await persons.erase(OWNER, clientId);
  expect(await ledger.query('SELECT email FROM clients WHERE id = $1', [theirs])).toEqual([{ email }]);
  expect(await ledger.query('SELECT owner_id, reason FROM suppressions WHERE email_key = $1', [email])).toEqual([
    { ownerId: null, reason: 'complaint' },
  ]);
  expect(await ledger.query('SELECT days FROM address_health WHERE email_key = $1', [email])).toHaveLength(1);
  expect(await persons.eraseAddress(OPERATOR, email)).toMatchObject({ clients: 1 });
  expect(await placesOf(email)).toEqual(['audit_log']);
});

it('erases nothing while an import is under way, and no file of it is left afterwards', async () => {
  const { email, clientId } = await known('uploaded');
  await ledger.query(`INSERT INTO imports (owner_id) VALUES (1)`);
  await expect(persons.erase(OWNER, clientId)).rejects.toMatchObject({ code: 'IMPORT_RUNNING' });
  expect(await ledger.query('SELECT email FROM clients WHERE id = $1', [clientId])).toEqual([{ email }]);
  await ledger.query(`UPDATE imports SET status = 'done' WHERE status = 'running'`);
  await persons.erase(OWNER, clientId);
  expect(await ledger.query('SELECT import_id FROM import_files')).toEqual([]);
});

it('erases nothing while a letter to the person is under way', async () => {
  const { email, clientId, deliveryId } = await known('hurried');
  const worker = await ledger.make.worker();
  await writeLedger(ledger.database, worker, [{ claim: deliveryId }]);
  await ledger.query(`UPDATE deliveries SET status = 'sending', claimed_by = $2, reason = NULL WHERE id = $1`, [
    deliveryId,
    worker,
  ]);
  await expect(persons.erase(OWNER, clientId)).rejects.toMatchObject({ code: 'LETTER_UNDER_WAY' });
  expect(await ledger.query('SELECT email FROM clients WHERE id = $1', [clientId])).toEqual([{ email }]);
  await ledger.query(`UPDATE deliveries SET status = 'sent', claimed_by = NULL WHERE id = $1`, [deliveryId]);
  expect(await persons.erase(OWNER, clientId)).toEqual({ clients: 1, letters: 1 });
});

it('sends nobody a second letter of a run because the first was erased', async () => {
  const { email, clientId, runId } = await known('again');
  await persons.erase(OWNER, clientId);
  const [back] = await ledger.make.clients(1, [email]);
  await ledger.query(`UPDATE suppressions SET lifted_at = now() WHERE lifted_at IS NULL`);
  const mailingId = (await ledger.query<{ id: number }>('SELECT mailing_id AS id FROM runs WHERE id = $1', [runId]))[0]!
    .id;
  await ledger.make.select(mailingId, [back!]);
  await ledger.query(`UPDATE runs SET status = 'sending', planned_at = NULL, plan_cursor = 0 WHERE id = $1`, [runId]);
  await ledger.planner.plan(runId);
  expect(await ledger.query('SELECT client_id FROM deliveries WHERE run_id = $1', [runId])).toEqual([{ clientId }]);
  expect(await persons.erase(OWNER, back!)).toMatchObject({ clients: 1 });
});

it('leaves alone who has an old address of the person now', async () => {
  const { email, clientId } = await known('moved');
  await ledger.query(`UPDATE clients SET email = 'moved-on@people.example' WHERE id = $1`, [clientId]);
  const [now] = await ledger.make.clients(1, [email]);
  const mailingId = await ledger.make.mailing({ ownerId: 1, status: 'started' });
  await ledger.query(`UPDATE mailings SET audience = 'selected' WHERE id = $1`, [mailingId]);
  await ledger.make.select(mailingId, [now!]);
  const runId = await ledger.make.run(mailingId);
  await ledger.planner.plan(runId);
  await persons.erase(OWNER, clientId);
  expect(await ledger.query('SELECT email FROM deliveries WHERE run_id = $1', [runId])).toEqual([{ email }]);
  expect(await ledger.query('SELECT reason FROM suppressions WHERE email_key = $1 AND owner_id = 1', [email])).toEqual([
    { reason: 'hard_bounce' },
  ]);
});

it('skips letters that wait, also those of a client who has another address by now', async () => {
  const [clientId] = await ledger.make.clients(1, ['waits@people.example']);
  const mailingId = await ledger.make.mailing({ ownerId: 1, status: 'started' });
  await ledger.query(`UPDATE mailings SET audience = 'selected' WHERE id = $1`, [mailingId]);
  await ledger.make.select(mailingId, [clientId!]);
  const runId = await ledger.make.run(mailingId);
  await ledger.planner.plan(runId);
  await ledger.query(`UPDATE clients SET email = 'elsewhere@people.example' WHERE id = $1`, [clientId]);
  expect(await persons.eraseAddress(OPERATOR, 'waits@people.example')).toEqual({ clients: 0, letters: 1 });
  expect(await ledger.query('SELECT status FROM deliveries WHERE run_id = $1', [runId])).toEqual([
    { status: 'skipped' },
  ]);
  expect(await placesOf('waits@people.example')).toEqual([]);
});

it('waits for planning that has read the person already', async () => {
  const { clientId, runId } = await known('planned');
  await ledger.query(`UPDATE runs SET status = 'planning', planned_at = NULL WHERE id = $1`, [runId]);
  let erased = false;
  const erasing = await ledger.database.transaction(async (tx) => {
    await tx.rows('SELECT FROM runs WHERE id = $1 FOR NO KEY UPDATE', [runId]);
    const going = persons.erase(OWNER, clientId).then(() => (erased = true));
    await new Promise((wake) => setTimeout(wake, 300));
    expect(erased).toBe(false);
    return { going };
  });
  await erasing.going;
});

it('asks nobody for an address by a filter any more', async () => {
  const { email, clientId } = await known('filtered');
  const filter = JSON.stringify({ field: 'email', op: 'is', value: email });
  await ledger.query(`INSERT INTO segments (owner_id, name, filter) VALUES (1, 'One', $1)`, [filter]);
  await ledger.query(
    `INSERT INTO bulk_jobs (owner_id, action, filter, last_id, status, finished_at) VALUES (1, 'untag', $1, 1, 'done', now())`,
    [JSON.stringify({ search: email })],
  );
  await persons.erase(OWNER, clientId);
  expect(await placesOf(email)).toEqual(['audit_log']);
});
