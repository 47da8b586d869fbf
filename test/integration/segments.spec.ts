import { segmentsUsing } from '../../src/features/clients/segment-context';
import type { Used } from '../../src/features/clients/uses';
import { PlannerService } from '../../src/features/runs/planner.service';
import { type Answer, type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';
import { eventually } from '../support/service';

/** Segments by REST: made, counted, used by mailings and by the list of clients. */
let api: TestApi;
let owner: Person;
let other: Person;
let manager: Person;
let messageId: number;
const clients: Record<string, number> = {};

const call = (method: string, path: string, body?: unknown, who: Person = owner): Promise<Answer> =>
  api.call(method, `/api/v1${path}`, { token: who.token, ...(body !== undefined && { body }) });
let made = 0;
const segment = async (filter: unknown, who: Person = owner): Promise<number> => {
  const answer = await call('POST', '/segments', { name: `Segment ${++made}`, filter }, who);
  expect(answer).toMatchObject({ status: 201 });
  return answer.body.id;
};
const emails = (answer: Answer) => answer.body.items.map(({ email }) => email);

const CITY = { field: 'fields.city', op: 'is', value: 'Москва' };

beforeAll(async () => {
  api = await startApi();
  owner = await api.person();
  other = await api.person();
  manager = await api.person('manager');
  messageId = (await call('POST', '/messages', messageBody())).body.id;
  await api.database.rows(
    `INSERT INTO client_fields (owner_id, key, label, type) VALUES ($1, 'city', 'City', 'text'), ($1, 'age', 'Age', 'number')`,
    [owner.id],
  );
  await api.database.rows(`INSERT INTO tags (owner_id, name) VALUES ($1, 'VIP'), ($1, 'Новые'), ($2, 'Theirs')`, [
    owner.id,
    other.id,
  ]);
  for (const [name, fields] of [
    ['anna', { city: 'Москва', age: 30 }],
    ['boris', { city: 'МОСКВА' }],
    ['clara', { city: 'Berlin', age: 40 }],
    ['dora', {}],
  ] as const) {
    const [id] = await api.make.clients(owner.id, [`${name}@example.com`]);
    clients[name] = id!;
    await api.database.rows('UPDATE clients SET fields = $2 WHERE id = $1', [id, fields]);
  }
  await api.make.clients(other.id, ['stranger@example.com']);
  await api.database.rows(
    `INSERT INTO client_tags (tag_id, client_id) SELECT t.id, $2 FROM tags t WHERE t.owner_id = $1 AND t.name = 'VIP'`,
    [owner.id, clients.anna],
  );
});
afterAll(() => api.close());

describe('a segment', () => {
  it('is made, read, listed, changed and deleted', async () => {
    const filter = { all: [CITY, { not: { field: 'tag', op: 'isOneOf', value: ['vip', 'новые'] } }] };
    const named = { all: [CITY, { not: { field: 'tag', op: 'isOneOf', value: ['VIP', 'Новые'] } }] };
    const { status, body } = await call('POST', '/segments', { name: ' Moscow ', filter });
    expect({ status, body }).toMatchObject({ status: 201, body: { name: 'Moscow', filter: named, mailingCount: 0 } });
    expect((await call('GET', `/segments/${body.id}`)).body).toEqual(body);
    expect((await call('GET', '/segments?search=mosc')).body.items).toEqual([body]);
    await api.database.rows(`UPDATE tags SET name = 'Best' WHERE owner_id = $1 AND name = 'VIP'`, [owner.id]);
    const renamed = await call('PATCH', `/segments/${body.id}`, { name: 'Москвичи' });
    expect(renamed.body).toMatchObject({
      name: 'Москвичи',
      filter: { all: [CITY, { not: { value: ['Best', 'Новые'] } }] },
    });
    await api.database.rows(`UPDATE tags SET name = 'VIP' WHERE owner_id = $1 AND name = 'Best'`, [owner.id]);
    expect((await call('DELETE', `/segments/${body.id}`)).status).toBe(204);
    expect((await call('GET', `/segments/${body.id}`)).status).toBe(404);
  });

  it('has a name of its own among those of its owner, whatever the case', async () => {
    await call('POST', '/segments', { name: 'Друзья', filter: CITY });
    expect(await call('POST', '/segments', { name: 'ДРУЗЬЯ', filter: CITY })).toMatchObject({
      status: 409,
      body: { code: 'SEGMENT_NAME_TAKEN' },
    });
    const theirs = { name: 'Друзья', filter: { field: 'comment', op: 'isSet' } };
    expect((await call('POST', '/segments', theirs, other)).status).toBe(201);
    expect(await call('POST', '/segments', { name: '', filter: CITY })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'name', code: 'empty' }] },
    });
  });

  it('is read by a manager, changed by nobody else', async () => {
    const id = await segment(CITY);
    expect((await call('GET', `/segments/${id}`, undefined, manager)).status).toBe(200);
    expect((await call('PATCH', `/segments/${id}`, { name: 'x' }, manager)).status).toBe(403);
    expect((await call('DELETE', `/segments/${id}`, undefined, other)).status).toBe(404);
    expect(await call('GET', `/clients?segmentId=${id}`, undefined, other)).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'segmentId', code: 'unknown_segment' }] },
    });
  });

  it.each([
    [{ field: 'fields.cty', op: 'is', value: 'x' }, 'filter.field', 'no_such_field', { similar: 'fields.city' }],
    [{ field: 'tag', op: 'is', value: 'VIPs' }, 'filter.value', 'no_such_tag', { similar: 'VIP' }],
    [{ field: 'tag', op: 'is', value: 'Theirs' }, 'filter.value', 'no_such_tag', {}],
    [{ all: [CITY, { field: 'fields.age', op: 'gt', value: 'old' }] }, 'filter.all.1.value', 'number', {}],
    [{ any: [{ field: 'email', op: 'gt', value: 'x' }] }, 'filter.any.0.op', 'wrong_operator', { type: 'text' }],
    [{ field: 'received', value: { mailingId: 999_999 } }, 'filter.value.mailingId', 'unknown_mailing', {}],
    [{ all: [] }, 'filter.all', 'filter_empty', {}],
    ['city is Moscow', 'filter', 'filter_shape', {}],
    [null, 'filter', 'filter_shape', {}],
    [undefined, 'filter', 'filter_shape', {}],
  ])('%j is refused', async (filter, field, code, values) => {
    for (const [path, body] of [
      ['/segments', { name: 'Wrong', filter }],
      ['/segments/count', { filter }],
    ] as const)
      expect(await call('POST', path, body)).toMatchObject({
        status: 400,
        body: { errors: [{ field, code, values }] },
      });
  });

  it('is found by the fields and tags that it names', async () => {
    const ofOther = await api.person();
    const [tag] = await api.database.rows<{ id: number }>(
      `INSERT INTO tags (owner_id, name) VALUES ($1, 'Tag') RETURNING id`,
      [ofOther.id],
    );
    await api.database.rows(`INSERT INTO client_fields (owner_id, key, label, type) VALUES ($1, 'city', 'C', 'text')`, [
      ofOther.id,
    ]);
    const post = (name: string, filter: unknown) => call('POST', '/segments', { name, filter }, ofOther);
    await post('By city', { all: [{ not: CITY }] });
    await post('By tag', {
      any: [
        { field: 'tag', op: 'isOneOf', value: ['Tag'] },
        { field: 'comment', op: 'isSet' },
      ],
    });
    await post('By neither', { field: 'comment', op: 'is', value: 'fields.city' });
    const using = async (of: Used) => (await segmentsUsing(api.database, ofOther.id, of)).map(({ name }) => name);
    const tagged = (id: number) => ({ tag: { id, name: '' } });
    expect(await using({ field: 'city' })).toEqual(['By city']);
    expect(await using({ field: 'cit' })).toEqual([]);
    expect(await using(tagged(tag!.id))).toEqual(['By tag']);
    expect(await using(tagged(tag!.id + 1))).toEqual([]);
    expect((await call('DELETE', '/fields/city', undefined, ofOther)).body).toMatchObject({
      code: 'FIELD_IN_USE',
      uses: [{ kind: 'segment', name: 'By city' }],
    });
    expect((await call('DELETE', `/tags/${tag!.id}`, undefined, ofOther)).body).toMatchObject({ code: 'TAG_IN_USE' });
    expect(await segmentsUsing(api.database, owner.id, tagged(tag!.id))).toEqual([]);
  });
});

describe('a count', () => {
  it('says how many, and who the first are', async () => {
    expect((await call('POST', '/segments/count', { filter: CITY })).body).toEqual({
      count: 2,
      code: null,
      sample: [
        { id: clients.anna, email: 'anna@example.com', fullName: 'Client 1' },
        { id: clients.boris, email: 'boris@example.com', fullName: 'Client 1' },
      ],
    });
    const not = { field: 'fields.city', op: 'isNot', value: 'москва' };
    expect((await call('POST', '/segments/count', { filter: not })).body).toMatchObject({ count: 2 });
    expect((await call('POST', '/segments/count', { filter: not }, manager)).status).toBe(400);
  });

  it('that takes too long is given up, and the service goes on', async () => {
    // Whoever holds this lock makes every count wait, as a filter would that takes long.
    const held = api.database.dataSource.createQueryRunner();
    await held.startTransaction();
    await held.query('LOCK TABLE clients IN ACCESS EXCLUSIVE MODE');
    try {
      const answer = await call('POST', '/segments/count', { filter: CITY });
      expect(answer).toMatchObject({ status: 200, body: { count: null, code: 'SEGMENT_TOO_SLOW', sample: [] } });
    } finally {
      await held.rollbackTransaction();
      await held.release();
    }
    expect((await call('POST', '/segments/count', { filter: CITY })).body).toMatchObject({ count: 2 });
  }, 20_000);

  it('of others does not wait for very many of one user', async () => {
    const held = api.database.dataSource.createQueryRunner();
    await held.startTransaction();
    await held.query('LOCK TABLE clients IN ACCESS EXCLUSIVE MODE');
    const count = (who: Person) => call('POST', '/segments/count', { filter: { field: 'tag', op: 'isSet' } }, who);
    const answered: Answer[] = [];
    const asked = Array.from({ length: 12 }, () => count(owner).then((answer) => (answered.push(answer), answer)));
    const others = count(other);
    // As long as the lock is held, only those are answered that are not to wait; all have come in then.
    await eventually(() => Promise.resolve(answered.length >= 8), 'eight refusals', 10_000);
    const [refused] = answered;
    await held.rollbackTransaction();
    await held.release();
    expect([refused?.status, refused?.body.code, refused?.headers.get('retry-after')]).toEqual([
      429,
      'RATE_LIMITED',
      '5',
    ]);
    const statuses = (await Promise.all(asked)).map(({ status }) => status).sort();
    expect(statuses).toEqual([...Array<number>(4).fill(200), ...Array<number>(8).fill(429)]);
    expect((await others).status).toBe(200);
    expect((await count(owner)).body).toMatchObject({ count: 1 });
  }, 20_000);
});

it('the list of clients shows those of a segment, page by page', async () => {
  const id = await segment({ not: CITY });
  const first = await call('GET', `/clients?segmentId=${id}&limit=1&sort=email&withTotal=true`);
  expect(first.body).toMatchObject({ total: 2 });
  expect(emails(first)).toEqual(['clara@example.com']);
  expect(emails(await call('GET', `/clients?segmentId=${id}&sort=email&cursor=${first.body.nextCursor}`))).toEqual([
    'dora@example.com',
  ]);
  expect(emails(await call('GET', `/clients?segmentId=${id}&search=clara`))).toEqual(['clara@example.com']);
  expect(emails(await call('GET', `/clients?segmentId=${id}`, undefined, manager))).toEqual([
    'dora@example.com',
    'clara@example.com',
  ]);
  expect((await call('GET', '/clients?segmentId=999999')).status).toBe(400);
});

describe('a mailing', () => {
  const post = (more: object, who = owner) => call('POST', '/mailings', mailingBody(messageId, more), who);
  const run = async (mailingId: number): Promise<{ emails: string[]; run: Record<string, unknown> }> => {
    const { body } = await call('POST', `/mailings/${mailingId}/send`, {});
    await api.app.get(PlannerService, { strict: false }).plan(Number(body.runId));
    const answer = await call('GET', `/runs/${String(body.runId)}/deliveries`);
    const found = answer.body.items.map(({ client }) => (client as { email: string }).email);
    return { emails: found.sort(), run: (await call('GET', `/runs/${String(body.runId)}`)).body };
  };

  it('to a segment goes to those who belong to it; its run keeps name and filter', async () => {
    const id = await segment(CITY);
    const { status, body } = await post({ audience: 'segment', segmentId: id });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        audience: 'segment',
        segmentId: id,
        segmentName: `Segment ${made}`,
        excludeSegmentId: null,
        recipientCount: 2,
      },
    });
    expect((await call('GET', '/mailings')).body.items[0]).toMatchObject({ id: body.id, recipientCount: null });
    const planned = await run(body.id);
    expect(planned.emails).toEqual(['anna@example.com', 'boris@example.com']);
    await call('PATCH', `/segments/${id}`, { name: 'Renamed', filter: { not: CITY } });
    expect((await call('GET', `/runs/${String(planned.run.id)}`)).body).toMatchObject({
      segment: { name: `Segment ${made}`, filter: CITY },
      excludeSegment: null,
    });
    expect((await call('GET', '/mailings')).body.items[0]).toMatchObject({ id: body.id, recipientCount: 2 });
    expect(await call('DELETE', `/segments/${id}`)).toMatchObject({
      status: 409,
      body: { code: 'SEGMENT_IN_USE', detail: expect.stringContaining(`mailing ${body.id}`) as string },
    });
  });

  it.each([
    ['all', {}, ['clara@example.com', 'dora@example.com']],
    ['selected', { clientIds: ['anna', 'dora'] }, ['dora@example.com']],
    ['segment', { of: { field: 'fields.age', op: 'isSet' } }, ['clara@example.com']],
  ] as const)('to %s leaves out whoever belongs to the other segment', async (audience, more, expected) => {
    const excludeSegmentId = await segment(CITY);
    const { body } = await post({
      audience,
      excludeSegmentId,
      ...('clientIds' in more && { clientIds: more.clientIds.map((name) => clients[name]) }),
      ...('of' in more && { segmentId: await segment(more.of) }),
    });
    expect(body).toMatchObject({ excludeSegmentId, recipientCount: expected.length });
    expect((await call('GET', `/mailings/${body.id}/preflight`)).body).toMatchObject({
      chosen: expected.length,
      eligible: expected.length,
    });
    expect((await run(body.id)).emails).toEqual(expected);
    expect((await call('DELETE', `/segments/${excludeSegmentId}`)).status).toBe(409);
  });

  it('counts before the start who gets it, and who does not for which reason', async () => {
    await call('POST', '/suppressions', { email: 'boris@example.com', reason: 'unsubscribed' });
    const { body } = await post({ audience: 'segment', segmentId: await segment(CITY) });
    expect((await call('GET', `/mailings/${body.id}/preflight`)).body).toMatchObject({
      chosen: 2,
      eligible: 1,
      excluded: { unsubscribed: 1 },
    });
    const counted = { filter: { field: 'subscription', op: 'is', value: 'unsubscribed' } };
    expect((await call('POST', '/segments/count', counted)).body).toMatchObject({ count: 1 });
    await api.database.rows('UPDATE suppressions SET lifted_at = now()');
  });

  it('to nobody does not start', async () => {
    const nobody = await segment({ field: 'fields.city', op: 'is', value: 'Atlantis' });
    const { body } = await post({ audience: 'segment', segmentId: nobody });
    expect(body).toMatchObject({ recipientCount: 0 });
    expect(await call('POST', `/mailings/${body.id}/send`, {})).toMatchObject({
      status: 409,
      body: { code: 'MAILING_EMPTY' },
    });
  });

  it('to nobody yet starts if it is repeated: who comes to match gets a later letter', async () => {
    const nobody = await segment({ field: 'fields.city', op: 'is', value: 'Lyonesse' });
    const due = new Date(Date.now() - 60_000).toISOString();
    const weekly = await post({ audience: 'segment', segmentId: nobody, period: 'weekly', startAt: due });
    expect(await call('POST', `/mailings/${weekly.body.id}/start`, {})).toMatchObject({ status: 200 });
    const once = await post({ audience: 'segment', segmentId: nobody, period: 'once', startAt: due });
    expect(await call('POST', `/mailings/${once.body.id}/start`, {})).toMatchObject({
      status: 409,
      body: { code: 'MAILING_EMPTY' },
    });
  });

  it('changes its audience as long as it is not started; null clears the exclusion', async () => {
    const [id, excludeSegmentId] = [await segment(CITY), await segment({ not: CITY })];
    const { body } = await post({ audience: 'segment', segmentId: id, excludeSegmentId });
    const path = `/mailings/${body.id}`;
    expect((await call('PATCH', path, { excludeSegmentId: null })).body).toMatchObject({
      segmentId: id,
      excludeSegmentId: null,
    });
    expect((await call('POST', `${path}/copy`, {})).body).toMatchObject({ audience: 'segment', segmentId: id });
    expect((await call('PATCH', path, { audience: 'all' })).body).toMatchObject({ audience: 'all', segmentId: null });
    expect(await call('PATCH', path, { segmentId: id })).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'segmentId', code: 'segment_not_taken' }] },
    });
    expect((await call('PATCH', path, { audience: 'segment', segmentId: id })).status).toBe(200);
    // Deleted mailings don't keep a segment from being deleted.
    await api.database.rows('UPDATE mailings SET deleted_at = now() WHERE segment_id = $1 OR exclude_segment_id = $1', [
      id,
    ]);
    expect((await call('DELETE', `/segments/${id}`)).status).toBe(204);
  });

  it.each([
    ['no segment', { audience: 'segment' }, 'segmentId', 'required'],
    ['a segment for all', { audience: 'all', segmentId: 'own' }, 'segmentId', 'segment_not_taken'],
    ["another's segment", { audience: 'segment', segmentId: 'theirs' }, 'segmentId', 'unknown_segment'],
    ["another's exclusion", { audience: 'all', excludeSegmentId: 'theirs' }, 'excludeSegmentId', 'unknown_segment'],
    [
      'itself left out',
      { audience: 'segment', segmentId: 'own', excludeSegmentId: 'own' },
      'excludeSegmentId',
      'segment_left_out',
    ],
    ['clients of a segment', { audience: 'segment', segmentId: 'own', clientIds: [1] }, 'clientIds', 'clients_of_all'],
  ])('with %s is refused', async (_, more, field, code) => {
    const ids: Record<string, number> = {
      own: await segment(CITY),
      theirs: await segment({ field: 'comment', op: 'isSet' }, other),
    };
    const body = Object.fromEntries(
      Object.entries(more).map(([name, value]) => [name, name.endsWith('egmentId') ? ids[String(value)] : value]),
    );
    expect(await post(body)).toMatchObject({ status: 400, body: { errors: [{ field, code }] } });
  });
});
