import { subscriptionStatuses } from '../../src/domain/subscription';
import * as fc from 'fast-check';
import { Client } from 'pg';
import { Temporal } from 'temporal-polyfill';
import type { FieldDefinition, FieldValue } from '../../src/domain/client-fields';
import { checkFilter } from '../../src/domain/segment-filter-check';
import {
  builtInFields,
  type Condition,
  type FilterType,
  isBuiltIn,
  lastResults,
  operatorsOf,
  ownField,
  type Receipt,
  type SegmentFilter,
} from '../../src/domain/segment-filter';
import { segmentSql } from '../../src/features/clients/segment-sql';
import { createTestDatabase, type TestDatabase } from '../support/database';

/** SQL of filters against a second evaluator, which is written differently: over plain objects, in JavaScript. */

const NOW = new Date('2026-11-29T12:34:56.000Z');
const ZONES = ['UTC', 'America/New_York', 'Asia/Kolkata', 'Pacific/Kiritimati'];
const WORDS = [
  'Москва',
  'москва',
  'Мо',
  'İstanbul',
  'istanbul',
  'IST',
  '100%',
  'a_b',
  'axb',
  'back\\slash',
  "O'Neil",
  'кв',
];
const DAYS = ['2026-11-29', '2026-11-28', '2026-11-22', '2026-11-30', '2025-01-01', '0999-12-31', '9999-12-31'];
const NUMBERS = [0, -1, 0.1, 0.3, 1e21, -2.5, 42];
const OPTIONS = ['Gold', 'Серебро', 'none'];
const FIELDS: FieldDefinition[] = [
  { key: 'city', label: 'City', type: 'text', options: [] },
  { key: 'age', label: 'Age', type: 'number', options: [] },
  { key: 'born', label: 'Born', type: 'date', options: [] },
  { key: 'vip', label: 'VIP', type: 'boolean', options: [] },
  { key: 'level', label: 'Level', type: 'choice', options: OPTIONS },
];
const TAGS = [1, 2, 3];
const MAILINGS = [1, 2, 3];
const REASONS = ['unsubscribed', 'hard_bounce', 'complaint', 'manual', 'invalid'] as const;

interface Suppression {
  reason: (typeof REASONS)[number];
  forAll: boolean;
  ofMailing: boolean;
  lifted: boolean;
  expired: boolean;
}
interface Person {
  email: string;
  fullName: string;
  comment: string;
  fields: Record<string, FieldValue>;
  createdAt: number;
  tags: number[];
  /** One a mailing, in the order of the runs. */
  deliveries: { mailing: number; status: string; at: number }[];
  unconfirmed: boolean;
  suppressions: Suppression[];
}

const HOUR = 3_600_000;
const ago = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((n) => n * 24 * HOUR),
  fc.integer({ min: 0, max: 24 * 60 }).map((n) => n * HOUR),
);
const person: fc.Arbitrary<Person> = fc.record({
  email: fc
    .tuple(
      fc.constantFrom('anna', 'ivan', 'IST', 'a_b'),
      fc.constantFrom('example.com', 'Mail.Example.org', 'ist.example'),
    )
    .map((p) => p.join('@')),
  fullName: fc.constantFrom('', ...WORDS),
  comment: fc.constantFrom('', ...WORDS),
  fields: fc.record(
    {
      city: fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom<FieldValue>(...WORDS) },
        fc.constantFrom<FieldValue>(5, true),
      ),
      age: fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom<FieldValue>(...NUMBERS) },
        fc.constantFrom<FieldValue>('old', false),
      ),
      born: fc.constantFrom<FieldValue>(...DAYS),
      vip: fc.oneof({ weight: 5, arbitrary: fc.boolean() }, fc.constantFrom<FieldValue>('yes', 1)),
      level: fc.constantFrom<FieldValue>(...OPTIONS),
    },
    { requiredKeys: [] },
  ),
  createdAt: ago.map((ms) => NOW.getTime() - ms),
  tags: fc.subarray(TAGS),
  deliveries: fc.subarray(MAILINGS).chain((mailings) =>
    fc.tuple(
      ...mailings.map((mailing) =>
        fc.record({
          mailing: fc.constant(mailing),
          status: fc.constantFrom(...lastResults, 'pending'),
          at: ago.map((ms) => NOW.getTime() - ms),
        }),
      ),
    ),
  ),
  unconfirmed: fc.boolean(),
  suppressions: fc.uniqueArray(
    fc.record({
      reason: fc.constantFrom(...REASONS),
      forAll: fc.boolean(),
      ofMailing: fc.boolean(),
      lifted: fc.boolean(),
      expired: fc.boolean(),
    }),
    { maxLength: 2, selector: ({ reason }) => reason },
  ),
});

// Random filters, as a caller writes them

const TAG_NAMES = ['VIP', "Robert'); DROP TABLE clients;--", 'Новые'];
const typeOf = (field: string): FilterType =>
  isBuiltIn(field) ? builtInFields[field] : (FIELDS.find(({ key }) => ownField(key) === field)?.type ?? 'text');
const days = fc.constantFrom(1, 7, 30, 36_500);
const receipt: fc.Arbitrary<Receipt> = fc.record(
  { mailingId: fc.constantFrom(...MAILINGS), days },
  { requiredKeys: [] },
);
const one: Record<Exclude<FilterType, 'receipt'>, fc.Arbitrary<string | number | boolean>> = {
  text: fc.constantFrom(...WORDS, 'example', 'anna@example.com', 'example.com', 'A_B', '%', '_', '\\'),
  number: fc.constantFrom(...NUMBERS),
  date: fc.constantFrom(...DAYS),
  instant: fc.constantFrom(...DAYS),
  boolean: fc.boolean(),
  choice: fc.constantFrom(...OPTIONS),
  tag: fc.constantFrom(...TAG_NAMES),
  result: fc.constantFrom(...lastResults),
  subscription: fc.constantFrom(...subscriptionStatuses),
};
const valueFor = (type: FilterType, op: string): fc.Arbitrary<unknown> => {
  if (op === 'isSet' || op === 'isNotSet') return fc.constant(undefined);
  if (op === 'inLastDays' || op === 'notInLastDays') return days;
  if (type === 'receipt') return receipt;
  if (op === 'isOneOf') return fc.array(one[type], { minLength: 1, maxLength: 4 });
  if (type === 'instant' && (op === 'before' || op === 'after'))
    return fc.oneof(one.instant, fc.constantFrom('2026-11-20T00:00:00+03:00', '2026-11-29T12:00:00Z'));
  return one[type];
};
const condition = fc
  .constantFrom(...Object.keys(builtInFields), ...FIELDS.map(({ key }) => ownField(key)))
  .chain((field) =>
    fc
      .constantFrom(...operatorsOf[typeOf(field)])
      .chain((op) => valueFor(typeOf(field), op).map((value) => ({ field, op, value }))),
  );
const { filter } = fc.letrec((tie) => ({
  filter: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    condition,
    fc.array(tie('filter'), { minLength: 1, maxLength: 4 }).map((all) => ({ all })),
    fc.array(tie('filter'), { minLength: 1, maxLength: 4 }).map((any) => ({ any })),
    tie('filter').map((not) => ({ not })),
  ),
}));

// The second evaluator

const fold = (text: string) => text.replace(/[İIı]/g, 'i').toLowerCase();
const gravity = ['complaint', 'unsubscribed', 'hard_bounce', 'invalid', 'manual'];
function subscriptionOf({ suppressions, unconfirmed }: Person): string {
  if (unconfirmed) return 'unconfirmed';
  const inForce = suppressions.filter((s) => !s.lifted && !s.expired && !s.ofMailing).map(({ reason }) => reason);
  const gravest = gravity.find((reason) => inForce.some((each) => each === reason));
  const names: Record<string, string> = {
    complaint: 'complained',
    unsubscribed: 'unsubscribed',
    hard_bounce: 'bounced',
  };
  return gravest === undefined ? 'subscribed' : (names[gravest] ?? 'suppressed');
}

const dayIn = (ms: number, zone: string) =>
  Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(zone).toPlainDate().toString();

/** What a person has in a field: several tags, one value, or nothing. */
function has(who: Person, field: string, zone: string): unknown[] {
  const ended = who.deliveries.filter(({ status }) => lastResults.some((each) => each === status));
  const some = (value: unknown) => (value === undefined || value === '' ? [] : [value]);
  switch (field) {
    case 'email':
      return [who.email];
    case 'domain':
      return [who.email.slice(who.email.indexOf('@') + 1)];
    case 'fullName':
    case 'comment':
      return some(who[field]);
    case 'createdAt':
      return [dayIn(who.createdAt, zone)];
    case 'tag':
      return who.tags;
    case 'subscription':
      return [subscriptionOf(who)];
    case 'lastResult':
      return some(ended.at(-1)?.status);
    default:
      return some(who.fields[field.slice(7)]);
  }
}

function got(who: Person, { mailingId, days: within }: Receipt): boolean {
  return who.deliveries.some(
    ({ mailing, status, at }) =>
      status === 'sent' &&
      (mailingId === undefined || mailing === mailingId) &&
      (within === undefined || at >= NOW.getTime() - within * 24 * HOUR),
  );
}

function meets(who: Person, { field, op, value }: Condition, zone: string): boolean {
  if (field === 'received') return got(who, value as Receipt);
  if (field === 'notReceived') return !got(who, value as Receipt);
  if (op === 'isNot') return !meets(who, { field, op: 'is', value: value! }, zone);
  if (op === 'isNotSet') return has(who, field, zone).length === 0;
  if (op === 'isSet') return has(who, field, zone).length > 0;
  if (op === 'notInLastDays') return !meets(who, { field, op: 'inLastDays', value: value! }, zone);
  if (op === 'isOneOf') return (value as string[]).some((each) => meets(who, { field, op: 'is', value: each }, zone));
  if (field === 'createdAt' && op === 'inLastDays')
    return who.createdAt >= NOW.getTime() - (value as number) * 24 * HOUR;
  if (field === 'createdAt' && typeof value === 'string' && value.length > 10)
    return op === 'before' ? who.createdAt < Date.parse(value) : who.createdAt > Date.parse(value);
  return has(who, field, zone).some((own) => compares(own, op, value, typeOf(field), zone));
}

function compares(own: unknown, op: string, value: unknown, type: FilterType, zone: string): boolean {
  const [mine, theirs] = [String(own), String(value)];
  const number = (test: (a: number, b: number) => boolean) => typeof own === 'number' && test(own, value as number);
  switch (op) {
    case 'is':
      if (type === 'number' || type === 'boolean') return own === value;
      return fold(mine) === fold(theirs);
    case 'contains':
      return fold(mine).includes(fold(theirs));
    case 'startsWith':
      return fold(mine).startsWith(fold(theirs));
    case 'endsWith':
      return fold(mine).endsWith(fold(theirs));
    case 'before':
      return mine < theirs;
    case 'after':
      return mine > theirs;
    case 'lt':
      return number((a, b) => a < b);
    case 'lte':
      return number((a, b) => a <= b);
    case 'gt':
      return number((a, b) => a > b);
    case 'gte':
      return number((a, b) => a >= b);
    default: {
      const today = Temporal.PlainDate.from(dayIn(NOW.getTime(), zone));
      return mine <= today.toString() && mine >= today.subtract({ days: value as number }).toString();
    }
  }
}

const belongs = (who: Person, part: SegmentFilter, zone: string): boolean =>
  'all' in part
    ? part.all.every((each) => belongs(who, each, zone))
    : 'any' in part
      ? part.any.some((each) => belongs(who, each, zone))
      : 'not' in part
        ? !belongs(who, part.not, zone)
        : meets(who, part, zone);

// The database

let testDatabase: TestDatabase;
let sql: Client;
let people: (Person & { id: number })[];
const context = {
  fields: FIELDS,
  tags: new Map(TAG_NAMES.map((name, i) => [name, TAGS[i]!])),
  tagNames: TAG_NAMES,
  mailings: new Set(MAILINGS),
};

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  sql = new Client({ connectionString: testDatabase.url });
  await sql.connect();
  await sql.query(`INSERT INTO users (email) VALUES ('owner@example.org')`);
  await sql.query('INSERT INTO tags (owner_id, name) SELECT 1, n FROM unnest($1::text[]) n', [TAG_NAMES]);
  await sql.query(`INSERT INTO messages (owner_id, subject, body) VALUES (1, 's', 'b')`);
  await sql.query(
    `INSERT INTO mailings (owner_id, message_id, audience, start_at, period, time_zone) SELECT 1, 1, 'all', now(), 'once', 'UTC' FROM unnest($1::int[])`,
    [MAILINGS],
  );
  await sql.query(
    `INSERT INTO runs (mailing_id, owner_id, trigger, status, on_unknown) SELECT id, 1, 'demand', 'sending', 'resend' FROM mailings ORDER BY id`,
  );
  const made = fc.sample(person, { numRuns: 150, seed: 20261129 });
  people = [];
  for (const [i, who] of made.entries()) {
    // An address is unique for its owner.
    const taken = people.some(({ email }) => email.toLowerCase() === who.email.toLowerCase());
    const email = taken ? who.email.replace('@', `${i}@`) : who.email;
    people.push({ ...who, email, id: await insert({ ...who, email }) });
  }
}, 60_000);
afterAll(async () => {
  await sql.end();
  await testDatabase.drop();
});

async function insert(who: Person): Promise<number> {
  const { rows } = await sql.query<{ id: string }>(
    `INSERT INTO clients (owner_id, email, full_name, comment, fields, created_at, unconfirmed_since)
     VALUES (1, $1, $2, $3, $4, $5, CASE WHEN $6 THEN now() END) RETURNING id`,
    [who.email, who.fullName, who.comment, who.fields, new Date(who.createdAt), who.unconfirmed],
  );
  const id = Number(rows[0]?.id);
  await sql.query('INSERT INTO client_tags (tag_id, client_id) SELECT t, $2 FROM unnest($1::bigint[]) t', [
    who.tags,
    id,
  ]);
  for (const { mailing, status, at } of who.deliveries)
    await sql.query(
      'INSERT INTO deliveries (run_id, client_id, email, status, updated_at) VALUES ($1, $2, $3, $4, $5)',
      [...[mailing, id, who.email, status, new Date(at)]],
    );
  for (const s of who.suppressions)
    await sql.query(
      `INSERT INTO suppressions (owner_id, mailing_id, email_key, address_hash, reason, source, lifted_at, expires_at)
       VALUES ($1, $2, lower($3::text), address_hash($3::text), $4, 'api', $5, $6) ON CONFLICT DO NOTHING`,
      [
        ...[s.forAll ? null : 1, s.ofMailing && !s.forAll ? 1 : null, who.email, s.reason],
        s.lifted ? NOW : null,
        s.expired ? new Date('2020-01-01') : null,
      ],
    );
  return id;
}

async function found(part: SegmentFilter, timeZone: string): Promise<number[]> {
  const params: unknown[] = [];
  const text = segmentSql(part, { timeZone, now: NOW }, params);
  const { rows } = await sql.query<{ id: string; member: boolean }>(
    `SELECT c.id, ${text} AS member FROM clients c ORDER BY c.id`,
    params,
  );
  expect(rows.every(({ member }) => typeof member === 'boolean')).toBe(true);
  return rows.filter(({ member }) => member).map(({ id }) => Number(id));
}

it('finds whom the second evaluator finds, for any filter', async () => {
  // A suppression for everybody is of no mailing; one that was in the way of another was not inserted.
  for (const who of people)
    who.suppressions = who.suppressions.map((s) => ({ ...s, ofMailing: s.ofMailing && !s.forAll }));
  let [some, all] = [0, 0];
  await fc.assert(
    fc.asyncProperty(filter, fc.constantFrom(...ZONES), async (given, zone) => {
      const checked = checkFilter(given, context);
      if (!checked.ok) throw new Error(JSON.stringify(checked.errors));
      const expected = people.filter((who) => belongs(who, checked.filter, zone)).map(({ id }) => id);
      expect(await found(checked.filter, zone)).toEqual(expected);
      all++;
      if (expected.length > 0 && expected.length < people.length) some++;
    }),
    { numRuns: 300 },
  );
  // Most filters tell people apart: else the comparison would say little.
  expect(some).toBeGreaterThan(all / 2);
}, 60_000);

it.each(
  Object.keys(builtInFields)
    .concat(FIELDS.map(({ key }) => ownField(key)))
    .flatMap((field) => operatorsOf[typeOf(field)].map((op) => ({ field, op }))),
)('$field $op finds some and leaves some', async ({ field, op }) => {
  const seen = new Set<boolean>();
  for (const value of fc.sample(valueFor(typeOf(field), op), { numRuns: 40, seed: 7 })) {
    const checked = checkFilter({ field, op, value }, context);
    if (!checked.ok) throw new Error(JSON.stringify(checked.errors));
    const members = await found(checked.filter, 'UTC');
    expect(members).toEqual(people.filter((who) => belongs(who, checked.filter, 'UTC')).map(({ id }) => id));
    if (members.length > 0) seen.add(true);
    if (members.length < people.length) seen.add(false);
    if (seen.size === 2) break;
  }
  const everybodyHas = ['email', 'domain', 'createdAt'].includes(field);
  const expected =
    everybodyHas && op === 'isSet' ? [true] : everybodyHas && op === 'isNotSet' ? [false] : [false, true];
  expect([...seen].sort()).toEqual(expected);
});

const EVIL = [
  "'; DROP TABLE clients; --",
  "' OR '1'='1",
  '" OR ""="',
  '$1',
  '$$; DELETE FROM clients; $$',
  "\\'; SELECT pg_sleep(10); --",
  "%' OR true --",
  '{"a":1}',
  "x') OR c.id IN (SELECT id FROM clients) --",
  'E\\x27 OR 1=1',
  '\u2019 OR 1=1',
];

describe('texts that are SQL', () => {
  it.each(EVIL)('%s as a value matches nobody and does nothing', async (evil) => {
    for (const op of ['is', 'contains', 'startsWith', 'endsWith', 'isOneOf'] as const)
      for (const field of ['email', 'fullName', 'domain', 'fields.city']) {
        const checked = checkFilter({ field, op, value: op === 'isOneOf' ? [evil] : evil }, context);
        if (!checked.ok) throw new Error(JSON.stringify(checked.errors));
        expect(await found(checked.filter, 'UTC')).toEqual([]);
      }
    const { rows } = await sql.query<{ n: string }>('SELECT count(*) AS n FROM clients');
    expect(Number(rows[0]?.n)).toBe(people.length);
  });

  it.each(EVIL)('%s as a key, an operator, a tag, a day or a mailing is refused', (evil) => {
    const wrong = [
      { field: evil, op: 'is', value: 'x' },
      { field: `fields.${evil}`, op: 'is', value: 'x' },
      { field: 'email', op: evil, value: 'x' },
      { field: 'tag', op: 'is', value: evil },
      { field: 'createdAt', op: 'before', value: evil },
      { field: 'createdAt', op: 'inLastDays', value: evil },
      { field: 'received', value: { mailingId: evil } },
      { field: 'received', value: { [evil]: 1 } },
      { field: 'lastResult', op: 'is', value: evil },
      { [evil]: [] },
    ];
    for (const each of wrong) expect(checkFilter(each, context)).toMatchObject({ ok: false });
  });

  it.each(EVIL.filter((evil) => evil !== '$1'))(
    '%s even past the check is only a value: nothing of it is in the text',
    async (evil) => {
      const past: SegmentFilter[] = [
        { field: `fields.${evil}`, op: 'is', value: evil },
        { field: `fields.${evil}`, op: 'gt', value: 5 },
        { field: `fields.${evil}`, op: 'isSet' },
        { field: `fields.${evil}`, op: 'before', value: evil },
        { field: evil, op: 'is', value: evil },
        { field: 'lastResult', op: 'is', value: evil },
      ];
      for (const part of past) {
        const params: unknown[] = [];
        expect(segmentSql(part, { timeZone: evil, now: null }, params)).not.toContain(evil);
        expect(await found(part, 'UTC')).toEqual([]);
      }
    },
  );
});
