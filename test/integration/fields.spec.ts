import { mailingBody } from '../support/factories';
import { type Answer, type Person, startApi, type TestApi } from '../support/api';

/** Fields and tags of clients, over REST. */

let api: TestApi;
let owner: Person;
let call: (method: string, path: string, body?: unknown, caller?: Person) => Promise<Answer>;
let made = 0;
const address = () => `f${++made}@example.net`;

beforeAll(async () => {
  api = await startApi({ authAnswerMs: 1, apiCallsPerMinute: 0 });
  call = (method, path, body, caller = owner) =>
    api.call(method, `/api/v1${path}`, { token: caller.token, ...(body === undefined ? {} : { body }) });
});
beforeEach(async () => {
  owner = await api.person();
});
afterAll(() => api.close());

const newField = async (key: string, type = 'text', more: object = {}) => {
  const answer = await call('POST', '/fields', { key, label: `The ${key}`, type, ...more });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.body;
};
const newClient = async (more: object = {}) => {
  const answer = await call('POST', '/clients', { email: address(), ...more });
  if (answer.status !== 201) throw new Error(answer.text);
  return answer.body;
};
const codesOf = ({ body }: Answer) => body.errors?.map((e) => [e.field, (e as { code?: string }).code]);

describe('fields', () => {
  test('are made, listed in their order, changed, moved, archived and deleted', async () => {
    await newField('city');
    await newField('level', 'choice', { options: ['Gold', ' Silver '] });
    await newField('since', 'date');
    const list = async () => (await call('GET', '/fields')).body.items.map(({ key }) => key);
    expect(await list()).toEqual(['city', 'level', 'since']);
    expect((await call('PATCH', '/fields/since', { position: 0, label: 'Since when' })).body).toMatchObject({
      key: 'since',
      label: 'Since when',
      position: 0,
      archived: false,
    });
    expect(await list()).toEqual(['since', 'city', 'level']);
    expect((await call('PATCH', '/fields/city', { position: 50 })).body).toMatchObject({ position: 2 });
    expect((await call('PATCH', '/fields/city', { archived: true })).body).toMatchObject({ archived: true });
    expect((await call('PATCH', '/fields/city', { archived: false })).body).toMatchObject({ archived: false });
    expect((await call('GET', '/fields?limit=1')).body.items).toMatchObject([{ key: 'since' }]);
    expect((await call('DELETE', '/fields/city')).status).toBe(204);
    expect((await call('DELETE', '/fields/city')).status).toBe(404);
    expect(await list()).toEqual(['since', 'level']);
  });

  test('keep their key and type', async () => {
    await newField('city');
    for (const change of [{ type: 'number' }, { key: 'town' }])
      expect((await call('PATCH', '/fields/city', change)).status).toBe(400);
  });

  test('have keys that differ whatever the case', async () => {
    await newField('city');
    const taken = await call('POST', '/fields', { key: 'City', label: 'City', type: 'text' });
    expect([taken.status, taken.body.code]).toEqual([409, 'FIELD_EXISTS']);
  });

  test.each([
    [{ key: 'email' }, 'key', 'field_key_reserved'],
    [{ key: 'full_name' }, 'key', 'field_key_reserved'],
    [{ key: 'constructor' }, 'key', 'field_key_reserved'],
    [{ key: '__proto__' }, 'key', 'field_key'],
    [{ key: `a'; DROP TABLE clients; --` }, 'key', 'field_key'],
    [{ key: '{{ x }}' }, 'key', 'field_key'],
    [{ label: ' ' }, 'label', 'empty'],
    [{ label: 'a\nb' }, 'label', 'not_one_line'],
    [{ type: 'json' }, 'type', 'one_of'],
    [{ type: 'choice' }, 'options', 'required'],
    [{ options: ['a'] }, 'options', 'unknown_field'],
    [{ type: 'choice', options: ['a', 'b', 'a'] }, 'options', 'repeated_option'],
    [{ type: 'choice', options: 'a' }, 'options', 'wrong_type'],
  ])('refuse %j', async (change, field, code) => {
    const answer = await call('POST', '/fields', { key: 'city', label: 'City', type: 'text', ...change });
    expect([answer.status, codesOf(answer)?.[0]]).toEqual([400, [field, code]]);
  });

  test('are at most fifty', async () => {
    await api.database.affected(
      `INSERT INTO client_fields (owner_id, key, label, type) SELECT $1, 'f' || n, 'F', 'text' FROM generate_series(1, 49) n`,
      [owner.id],
    );
    await newField('last');
    const more = await call('POST', '/fields', { key: 'more', label: 'More', type: 'text' });
    expect([more.status, more.body.code]).toEqual([409, 'FIELDS_FULL']);
  });

  test('of others are not there', async () => {
    await newField('city');
    const stranger = await api.person('admin');
    expect((await call('GET', '/fields', undefined, stranger)).body.items).toEqual([]);
    expect((await call('PATCH', '/fields/city', { label: 'x' }, stranger)).status).toBe(404);
    expect((await call('DELETE', '/fields/city', undefined, stranger)).status).toBe(404);
  });

  test('an option that clients have can not be left out', async () => {
    await newField('level', 'choice', { options: ['Gold', 'Silver', 'Wood'] });
    await newClient({ fields: { level: 'gold' } });
    const refused = await call('PATCH', '/fields/level', { options: ['Silver', 'Wood'] });
    expect([refused.status, refused.body.code, refused.body.clients]).toEqual([409, 'FIELD_OPTION_IN_USE', 1]);
    expect((await call('PATCH', '/fields/level', { options: ['Wood', 'Gold'] })).body.options).toEqual([
      'Wood',
      'Gold',
    ]);
  });

  test('that a message shows can not be deleted; what is deleted leaves all clients', async () => {
    await newField('city');
    await newField('shoe', 'number');
    const { id } = await newClient({ fields: { city: 'Omsk', shoe: 43 } });
    const message = await call('POST', '/messages', { subject: 'Hi', body: '<p>{{ client["city"] }} shoe</p>' });
    const refused = await call('DELETE', '/fields/city');
    expect([refused.status, refused.body.code, refused.body.uses]).toEqual([
      409,
      'FIELD_IN_USE',
      [{ kind: 'message', id: message.body.id, name: 'Hi' }],
    ]);
    expect(refused.body.detail).toBe('The field "city" is used by the message "Hi".');
    expect((await call('DELETE', '/fields/shoe')).status).toBe(204);
    expect((await call('GET', `/clients/${id}`)).body.fields).toEqual({ city: 'Omsk' });
    await call('DELETE', `/messages/${message.body.id}`);
    expect((await call('DELETE', '/fields/city')).status).toBe(204);
    expect((await call('GET', `/clients/${id}`)).body.fields).toEqual({});
    await newField('city', 'number');
    expect((await call('PATCH', `/clients/${id}`, { fields: { city: 1 } })).status).toBe(200);
  });

  test('a value that is written while its field is deleted does not stay', async () => {
    for (let round = 0; round < 5; round++) {
      await newField('city');
      const { id } = await newClient();
      const [written] = await Promise.all([
        call('PATCH', `/clients/${id}`, { fields: { city: 'Omsk' } }),
        call('DELETE', '/fields/city'),
      ]);
      expect([200, 400]).toContain(written.status);
      expect((await call('GET', `/clients/${id}`)).body.fields).toEqual({});
    }
  });
});

describe('values', () => {
  test('of every type are kept, merged and cleared', async () => {
    await newField('city');
    await newField('age', 'number');
    await newField('born', 'date');
    await newField('vip', 'boolean');
    await newField('level', 'choice', { options: ['Gold', 'Silver'] });
    const { id, fields } = await newClient({
      fields: { city: ' Omsk ', age: '1 234,5', born: '31.12.2026', vip: 'да', level: 'silver' },
    });
    expect(fields).toEqual({ city: 'Omsk', age: 1234.5, born: '2026-12-31', vip: true, level: 'Silver' });
    const changed = await call('PATCH', `/clients/${id}`, { fields: { age: null, vip: false, city: '' } });
    expect(changed.body.fields).toEqual({ born: '2026-12-31', vip: false, level: 'Silver' });
    expect((await call('PATCH', `/clients/${id}`, { comment: 'x' })).body.fields).toEqual(changed.body.fields);
    expect((await call('GET', `/clients?search=${String(changed.body.email)}`)).body.items[0]?.fields).toEqual(
      changed.body.fields,
    );
  });

  test('that are wrong are named; so is the field that was probably meant', async () => {
    await newField('city');
    await newField('age', 'number');
    const { id } = await newClient();
    const answer = await call('PATCH', `/clients/${id}`, {
      email: 'no',
      fields: { cty: 'Omsk', age: 'old', city: { a: 1 } },
      tags: ['a,b'],
    });
    expect([answer.status, codesOf(answer)]).toEqual([
      400,
      [
        ['email', 'email'],
        ['fields.cty', 'no_such_field'],
        ['fields.age', 'number'],
        ['fields.city', 'wrong_type'],
        ['tags.0', 'tag_comma'],
      ],
    ]);
    expect(answer.body.errors[1]?.message).toContain('did you mean "city"?');
    expect((await call('PATCH', `/clients/${id}`, { fields: 'x' })).status).toBe(400);
    expect((await call('PATCH', `/clients/${id}`, { fields: { city: '\ud800' } })).status).toBe(400);
    expect((await call('PATCH', `/clients/${id}`, { fields: { city: 'x'.repeat(2_001) } })).status).toBe(400);
  });

  test('together have a bound', async () => {
    for (let n = 0; n < 6; n++) await newField(`f${n}`);
    const fields = Object.fromEntries(Array.from({ length: 6 }, (_, n) => [`f${n}`, 'x'.repeat(1_900)]));
    const answer = await call('POST', '/clients', { email: address(), fields });
    expect([answer.status, codesOf(answer)]).toEqual([400, [['fields', 'fields_too_long']]]);
  });

  test('of two changes at once none is lost', async () => {
    const keys = ['a1', 'b1', 'c1', 'd1'];
    for (const key of keys) await newField(key);
    const { id } = await newClient();
    await Promise.all(keys.map((key) => call('PATCH', `/clients/${id}`, { fields: { [key]: key }, tags: [key] })));
    expect((await call('GET', `/clients/${id}`)).body.fields).toEqual(
      Object.fromEntries(keys.map((key) => [key, key])),
    );
  });

  test("another's clients have their owner's fields", async () => {
    await newField('city');
    const { id } = await newClient();
    const admin = await api.person('admin');
    const changed = await call('PATCH', `/clients/${id}`, { fields: { city: 'Omsk' }, tags: ['by admin'] }, admin);
    expect(changed.body).toMatchObject({ fields: { city: 'Omsk' }, tags: ['by admin'] });
    expect((await call('GET', '/tags')).body.items).toMatchObject([{ name: 'by admin', clients: 1 }]);
  });
});

test('a client needs no name', async () => {
  const { id, fullName } = await newClient();
  expect(fullName).toBe('');
  await call('PATCH', `/clients/${id}`, { fullName: 'Ann' });
  expect((await call('PATCH', `/clients/${id}`, { fullName: '' })).body.fullName).toBe('');
});

describe('tags', () => {
  const list = async () =>
    (await call('GET', '/tags')).body.items.map(({ name, clients }) => `${String(name)}: ${String(clients)}`);

  test('are made by clients who get them, compared without case, counted', async () => {
    await call('POST', '/tags', { name: 'VIP', public: true });
    const one = await newClient({ tags: ['vip', ' From the fair ', 'VIP'] });
    expect(one.tags).toEqual(['From the fair', 'VIP']);
    await newClient({ tags: ['VIP'] });
    expect(await list()).toEqual(['From the fair: 1', 'VIP: 2']);
    expect((await call('PATCH', `/clients/${one.id}`, { tags: ['new'] })).body.tags).toEqual(['new']);
    expect((await call('PATCH', `/clients/${one.id}`, { comment: 'x' })).body.tags).toEqual(['new']);
    expect(await list()).toEqual(['From the fair: 0', 'new: 1', 'VIP: 1']);
    expect((await call('DELETE', `/clients/${one.id}`)).status).toBe(204);
    expect(await list()).toEqual(['From the fair: 0', 'new: 0', 'VIP: 1']);
  });

  test('are renamed, made topics, merged and deleted', async () => {
    await newClient({ tags: ['a', 'b'] });
    await newClient({ tags: ['a'] });
    await newClient({ tags: ['b'] });
    const [a, b] = (await call('GET', '/tags')).body.items.map(({ id }) => Number(id));
    const taken = await call('PATCH', `/tags/${a}`, { name: 'B' });
    expect([taken.status, taken.body.code]).toEqual([409, 'TAG_EXISTS']);
    expect((await call('PATCH', `/tags/${a}`, { name: 'A', public: true })).body).toMatchObject({
      name: 'A',
      public: true,
      clients: 2,
    });
    for (const into of [a, 999_999])
      expect(codesOf(await call('POST', `/tags/${a}/merge`, { into }))).toEqual([['into', 'no_other_tag']]);
    expect((await call('POST', `/tags/${a}/merge`, { into: b })).body).toMatchObject({ id: b, name: 'b', clients: 3 });
    expect(await list()).toEqual(['b: 3']);
    expect((await call('DELETE', `/tags/${b}`)).status).toBe(204);
    expect(await list()).toEqual([]);
    expect((await call('GET', '/clients')).body.items.map(({ tags }) => tags)).toEqual([[], [], []]);
  });

  test("are not merged into another's", async () => {
    const mine = (await call('POST', '/tags', { name: 'mine' })).body.id;
    const other = await api.person();
    const theirs = (await call('POST', '/tags', { name: 'theirs' }, other)).body.id;
    expect((await call('POST', `/tags/${mine}/merge`, { into: theirs })).status).toBe(400);
    expect((await call('POST', `/tags/${theirs}/merge`, { into: mine })).status).toBe(404);
  });

  test('are at most fifty for a client', async () => {
    const tags = Array.from({ length: 51 }, (_, n) => `t${n}`);
    expect(codesOf(await call('POST', '/clients', { email: address(), tags }))).toEqual([['tags', 'too_many']]);
    expect((await newClient({ tags: tags.slice(1) })).tags).toHaveLength(50);
  });

  test('are at most a thousand for an owner', async () => {
    await api.database.affected(
      `INSERT INTO tags (owner_id, name) SELECT $1, 'n' || n FROM generate_series(1, 1000) n`,
      [owner.id],
    );
    const answers = [
      await call('POST', '/tags', { name: 'more' }),
      await call('POST', '/clients', { email: address(), tags: ['more'] }),
    ];
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual([
      [409, 'TAGS_FULL'],
      [409, 'TAGS_FULL'],
    ]);
    expect((await call('POST', '/clients', { email: address(), tags: ['N7'] })).status).toBe(201);
  });

  test('are given, taken, merged and deleted by many at once, and counted right', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    const clients = await Promise.all(Array.from({ length: 8 }, () => newClient()));
    const before = await deadlocks();
    const pick = (n: number) =>
      [...names]
        .sort(() => (n * 7919) % 3)
        .filter((_, i) => (n >> i) % 2 === 0)
        .reverse();
    const tag = (n: number) => call('PATCH', `/clients/${clients[n % 8]!.id}`, { tags: pick(n * 2_654_435_761) });
    const given = await Promise.all(Array.from({ length: 60 }, (_, n) => tag(n)));
    expect(given.filter(({ status }) => status !== 200)).toEqual([]);
    expect(await deadlocks()).toBe(before);
    // A tag that is deleted while others look for it is made anew, out of order: that may have to be repeated.
    const answers = await Promise.all(
      Array.from({ length: 120 }, async (_, n) => {
        if (n % 20 === 19) {
          const [first] = (await call('GET', '/tags')).body.items;
          return first ? call('DELETE', `/tags/${String(first.id)}`) : undefined;
        }
        return tag(n);
      }),
    );
    expect([...new Set(answers.map((answer) => answer?.status ?? 204))].sort()).toEqual(expect.arrayContaining([200]));
    expect(answers.filter((answer) => answer && ![200, 204, 404].includes(answer.status))).toEqual([]);
    const wrong = await api.database.rows(
      `SELECT t.id FROM tags t WHERE t.clients <> (SELECT count(*) FROM client_tags ct WHERE ct.tag_id = t.id)`,
    );
    expect(wrong).toEqual([]);
  });

  async function deadlocks(): Promise<number> {
    await api.database.rows('SELECT pg_stat_force_next_flush()');
    const row = await api.database.first<{ n: number }>(
      'SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()',
    );
    return Number(row?.n);
  }
});

describe('messages', () => {
  const write = (body: string) => call('POST', '/messages', { subject: 'Hi', body });
  const unknown = (answer: Answer) =>
    answer.body.errors?.map((e) => (e as unknown as { values: { name: string; similar: string | null } }).values);

  test('show fields; an unknown one is refused by name, with the one that was probably meant', async () => {
    await newField('city');
    const refused = await write('<p>{{ client.cty }} {{ client.fulName }}</p>');
    expect([refused.status, unknown(refused)]).toMatchObject([
      400,
      [
        { name: 'client.cty', similar: 'client.city' },
        { name: 'client.fulName', similar: 'client.fullName' },
      ],
    ]);
    const { id } = (await write('<p>{{ client.city }}</p>')).body;
    const client = await newClient({ fields: { city: 'Omsk' } });
    const preview = async (body: object) => (await call('POST', `/messages/${id}/preview`, body)).body.html;
    expect(await preview({ clientId: client.id })).toContain('<p>Omsk</p>');
    expect(await preview({})).toContain('<p>The city</p>');
    const other = await api.person();
    expect((await call('POST', '/messages', { subject: 'Hi', body: '{{ client.city }}' }, other)).status).toBe(400);
  });

  test('keep an archived field that they show, but new ones can not have it', async () => {
    await newField('city');
    const { id } = (await write('<p>{{ client.city }}</p>')).body;
    await call('PATCH', '/fields/city', { archived: true });
    expect((await call('PATCH', `/messages/${id}`, { body: '<p>Hi {{ client.city }}</p>' })).status).toBe(200);
    expect((await call('POST', `/messages/${id}/preview`, {})).status).toBe(200);
    expect(unknown(await write('{{ client.city }}'))).toMatchObject([{ name: 'client.city', similar: null }]);
    const mailing = await call('POST', '/mailings', mailingBody(id));
    const { findings } = (await call('GET', `/mailings/${mailing.body.id}/preflight`)).body;
    expect(JSON.stringify(findings)).not.toContain('client.city');
  });
});

describe('the list', () => {
  const emails = async (query: string) =>
    (await call('GET', `/clients?sort=id&${query}`)).body.items.map(({ email }) => email);

  test('is filtered by tag: its name, else its id', async () => {
    const [a, b] = [await newClient({ tags: ['2027'] }), await newClient({ tags: ['vip', '2027'] })];
    await newClient();
    expect(await emails('tag=2027')).toEqual([a.email, b.email]);
    expect(await emails('tag=VIP')).toEqual([b.email]);
    const vip = (await call('GET', '/tags?search=vip')).body.items[0]?.id;
    expect(await emails(`tag=${String(vip)}`)).toEqual([b.email]);
    expect(await emails('tag=nobody')).toEqual([]);
    expect((await call('GET', '/clients?tag=2027&withTotal=true')).body.total).toBe(2);
    expect((await call('GET', `/clients?tag=2027&search=${String(b.email)}&withTotal=true`)).body.total).toBe(1);
  });

  test('counts those who have a tag of any owner, as many as it finds', async () => {
    await newClient({ tags: ['Of several'] });
    const other = await api.person();
    for (const email of ['one@several.example', 'two@several.example'])
      await call('POST', '/clients', { email, fullName: '', tags: ['of SEVERAL'] }, other);
    const manager = await api.person('manager');
    const found = (await call('GET', '/clients?tag=of%20several&withTotal=true', undefined, manager)).body;
    expect([found.total, found.items.length]).toEqual([3, 3]);
    const theirs = `/clients?tag=of%20several&ownerId=${other.id}&withTotal=true`;
    expect((await call('GET', theirs, undefined, manager)).body.total).toBe(2);
  });

  test('and clients tell of the subscription, and are filtered by it', async () => {
    const clients: Record<string, string> = {};
    for (const name of ['fine', 'left', 'bad', 'cross', 'out', 'both'])
      clients[name] = String((await newClient()).email);
    const suppress = (email: string, reason: string, mailing: number | null = null) =>
      api.database.affected(
        `INSERT INTO suppressions (owner_id, listed_for, mailing_id, email_key, address_hash, reason, source)
         VALUES ($1, $1, $2, $3, address_hash($3), $4, 'api')`,
        [owner.id, mailing, email, reason],
      );
    await suppress(clients.left!, 'unsubscribed');
    await suppress(clients.bad!, 'hard_bounce');
    await suppress(clients.cross!, 'complaint');
    await suppress(clients.out!, 'manual');
    await suppress(clients.both!, 'manual');
    await suppress(clients.both!, 'unsubscribed');
    const all = (await call('GET', '/clients?sort=id')).body.items;
    const told = all.map(({ subscription }) => (subscription as { status: string }).status);
    expect(told).toEqual(['subscribed', 'unsubscribed', 'bounced', 'complained', 'suppressed', 'unsubscribed']);
    for (const status of ['subscribed', 'unsubscribed', 'unconfirmed', 'bounced', 'complained', 'suppressed'])
      expect([status, await emails(`subscription=${status}`)]).toEqual([
        status,
        all.filter((_, i) => told[i] === status).map(({ email }) => email),
      ]);
    expect(all[1]?.subscription).toMatchObject({ reason: 'unsubscribed', since: expect.any(String) as string });
    expect(all[0]?.subscription).toEqual({ status: 'subscribed', since: null, reason: null });
    expect((await call('GET', '/clients?subscription=nonsense')).status).toBe(400);
    expect((await call('GET', '/clients?subscription=unsubscribed&withTotal=true')).body.total).toBe(2);
  });

  test('as a file has all fields and tags, and no formulas', async () => {
    await newField('city');
    await newField('age', 'number');
    await newField('vip', 'boolean');
    await call('PATCH', '/fields/age', { archived: true });
    await newClient({
      email: 'x1@example.net',
      fullName: 'X',
      fields: { city: '=1+1', age: -5, vip: true },
      tags: ['b', '@a'],
    });
    await newClient({ email: 'x2@example.net', tags: ['b'] });
    const { text } = await call('GET', '/clients/export.csv?tag=b');
    expect(text.replace('\uFEFF', '').split('\r\n')).toEqual([
      'email,full_name,comment,city,age,vip,tags',
      `x1@example.net,X,,'=1+1,'-5,yes,"'@a,b"`,
      'x2@example.net,,,,,,b',
      '',
    ]);
    const one = await call('GET', '/clients/export.csv?tag=%40a');
    expect(one.text.trim().split('\r\n')).toHaveLength(2);
  });
});

describe('nothing that is written there does anything', () => {
  const CORPUS = [
    `'; DROP TABLE clients; --`,
    `" OR 1=1 --`,
    `<script>alert(1)</script>`,
    `"><img src=x onerror=alert(1)>`,
    `{{ client.email }}{% raw %}`,
    `{{ constructor.constructor('return 1')() }}`,
    `=cmd|' /C calc'!A0`,
    '%_\\',
    '${7*7}',
    '$1',
    'ё"x',
  ];

  test.each(CORPUS)('%s', async (text) => {
    await newField('city');
    await newField('level', 'choice', { options: [text, 'other'] });
    expect((await call('PATCH', '/fields/city', { label: text })).status).toBe(200);
    const tags = text.includes(',') ? [] : [text];
    const { id } = await newClient({ fullName: 'N', fields: { city: text, level: text }, tags });
    const { body } = await call('GET', `/clients/${id}`);
    expect([body.fields, body.tags]).toEqual([{ city: text, level: text }, tags]);
    for (const query of ['tag', 'search'])
      expect((await call('GET', `/clients?${query}=${encodeURIComponent(text)}`)).status).toBe(200);
    if (tags.length > 0)
      expect((await call('GET', `/clients?tag=${encodeURIComponent(text)}`)).body.items).toHaveLength(1);
    const message = await call('POST', '/messages', { subject: '{{ client.city }}', body: '<p>{{ client.city }}</p>' });
    const preview = (await call('POST', `/messages/${message.body.id}/preview`, { clientId: id })).body;
    expect(String(preview.html)).not.toMatch(/<script|<img|<p>"/);
    expect(String(preview.text)).toContain(text);
    for (const key of [text, `x${text}`])
      expect((await call('POST', '/fields', { key, label: 'x', type: 'text' })).status).toBe(400);
    expect((await call('PATCH', `/clients/${id}`, { fields: { [text]: 'x' } })).status).toBe(400);
  });
});
