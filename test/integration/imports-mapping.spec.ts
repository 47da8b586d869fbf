import { WebModule } from '../../src/web/web.module';
import { ImportPlans, type ImportRequest } from '../../src/features/clients/import-plans.service';
import { ImportStager } from '../../src/features/clients/import-stager.service';
import { ImportsService } from '../../src/features/clients/imports.service';
import { cp1251 } from '../support/cp1251';
import { type Answer, type Person, startApi, type TestApi } from '../support/api';
import { Factories } from '../support/factories';
import { workbook, zip } from '../support/zip';

/** A file is kept, its columns are chosen, and it is imported from where it is kept. */

let api: TestApi;
let imports: ImportsService;
const make = () => new Factories((sql, params) => api.database.rows(sql, params));

beforeAll(async () => {
  api = await startApi({ apiCallsPerMinute: 0 }, [WebModule]);
  imports = api.app.get(ImportsService, { strict: false });
});
afterAll(() => api.close());

interface Columns {
  importId: number;
  encoding: string | null;
  delimiter: string | null;
  hasHeader: boolean;
  sheets: string[];
  columns: { index: number; header: string; samples: string[]; suggested: string; newField: { key: string } }[];
}

const call = (who: Person, method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  api.call(method, `/api/v1${path}`, {
    token: who.token,
    ...(body === undefined ? {} : { body }),
    headers: { ...headers },
  });
const upload = (who: Person, file: string | Buffer, query = '?inspect=true', type = 'text/csv') =>
  fetch(`${api.url}/api/v1/clients/import${query}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${who.token}`, 'content-type': type },
    body: new Uint8Array(Buffer.from(file as string)),
  });

async function keep(who: Person, file: string | Buffer, type?: string): Promise<Columns> {
  const answer = await upload(who, file, '?inspect=true', type);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Columns;
}

/** Keeps, applies and waits until the import is through. */
async function take(who: Person, file: string | Buffer, request: object): Promise<Answer['body']> {
  const { importId } = await keep(who, file);
  return applied(who, importId, request);
}
async function applied(who: Person, importId: number, request: object): Promise<Answer['body']> {
  const answer = await call(who, 'POST', `/imports/${importId}/apply`, request);
  expect([answer.status, answer.body]).toEqual([202, { importId }]);
  while (!(await imports.resume(importId)));
  return (await call(who, 'GET', `/imports/${importId}`)).body;
}

const clientsOf = (who: Person) =>
  api.database.rows(
    `SELECT email, full_name, comment, fields,
            ARRAY(SELECT name FROM client_tags JOIN tags t ON t.id = tag_id WHERE client_id = c.id ORDER BY 1) AS tags
       FROM clients c WHERE owner_id = $1 ORDER BY id`,
    [who.id],
  );
const suppressed = (who: Person) =>
  api.database.rows(
    `SELECT email_key, reason, source, detail FROM suppressions WHERE owner_id = $1 ORDER BY email_key`,
    [who.id],
  );

const CITY = { key: 'city', label: 'Город', type: 'text' };

describe('a file that is kept', () => {
  it('is shown with its columns, samples and what they probably are', async () => {
    const who = await api.person();
    const text = 'Телефон;Город;Имя;E-mail\r\n+7 900;Москва;Анна;a@b.ru\r\n;Тверь;Иван;c@d.ru\r\n';
    const seen = await keep(who, cp1251(text));
    expect(seen).toMatchObject({ encoding: 'windows-1251', encodingSure: true, delimiter: ';', hasHeader: true });
    expect(seen.columns.map((c) => [c.index, c.header, c.samples, c.suggested, c.newField.key])).toEqual([
      [0, 'Телефон', ['+7 900'], 'ignore', 'telefon'],
      [1, 'Город', ['Москва', 'Тверь'], 'ignore', 'gorod'],
      [2, 'Имя', ['Анна', 'Иван'], 'fullName', 'imya'],
      [3, 'E-mail', ['a@b.ru', 'c@d.ru'], 'email', 'e_mail_4'],
    ]);
    const other = await call(who, 'GET', `/imports/${seen.importId}/columns?encoding=koi8-r&delimiter=%2C`);
    expect(other.body).toMatchObject({ encoding: 'koi8-r', delimiter: ',', columns: [{ index: 0 }] });
    expect((await call(who, 'GET', `/imports/${seen.importId}/columns?encoding=klingon`)).status).toBe(400);
    const done = await applied(who, seen.importId, {
      mapping: { 1: 'fields.city', 2: 'firstName', 3: 'email' },
      createFields: [CITY],
      tags: ['Excel'],
    });
    expect(done).toMatchObject({
      status: 'done',
      rows: 2,
      added: 2,
      encoding: 'windows-1251',
      ignoredColumns: ['Телефон'],
    });
    expect(await clientsOf(who)).toEqual([
      { email: 'a@b.ru', fullName: 'Анна', comment: '', fields: { city: 'Москва' }, tags: ['Excel'] },
      { email: 'c@d.ru', fullName: 'Иван', comment: '', fields: { city: 'Тверь' }, tags: ['Excel'] },
    ]);
    const again = await call(who, 'POST', `/imports/${seen.importId}/apply`, {});
    expect([again.status, again.body.code]).toEqual([409, 'IMPORT_APPLIED']);
  });

  it('may be read in another encoding than was guessed', async () => {
    const who = await api.person();
    const { importId } = await keep(who, Buffer.from('email,name\na@b.fr,\xe9\n', 'latin1'));
    await applied(who, importId, { encoding: 'windows-1252' });
    expect(await clientsOf(who)).toMatchObject([{ fullName: 'é' }]);
  });

  it('is read as its sender declares it, with a header or without', async () => {
    const who = await api.person();
    const koi = Buffer.from('a@b.ru,\xe1\xce\xce\xc1\n', 'latin1');
    const seen = await keep(who, koi, 'text/csv; charset=koi8-r; header=absent');
    expect(seen).toMatchObject({
      encoding: 'koi8-r',
      hasHeader: false,
      columns: [{ header: '', suggested: 'email' }, {}],
    });
    expect(
      await applied(who, seen.importId, { mapping: { 0: 'email', 1: 'fullName' }, hasHeader: false }),
    ).toMatchObject({ added: 1 });
    expect(await clientsOf(who)).toMatchObject([{ email: 'a@b.ru', fullName: 'Анна' }]);
  });

  it('may be checked before it is imported', async () => {
    const who = await api.person();
    const { importId } = await keep(who, 'email,city,labels\na@b.ru,Tver,x\nbad,,\n');
    const request = { mapping: { 0: 'email', 1: 'fields.city', 2: 'tags' }, createFields: [CITY] };
    expect(await applied(who, importId, { ...request, dryRun: true })).toMatchObject({
      dryRun: true,
      added: 1,
      rejected: 1,
    });
    expect([
      await clientsOf(who),
      await api.database.rows('SELECT FROM client_fields WHERE owner_id = $1', [who.id]),
    ]).toEqual([[], []]);
    expect(await applied(who, importId, request)).toMatchObject({ dryRun: false, added: 1, rejected: 1 });
    expect(await clientsOf(who)).toMatchObject([{ fields: { city: 'Tver' }, tags: ['x'] }]);
  });

  it.each([
    [{ mapping: { 0: 'fullName' } }, 'mapping', 'no_email_column'],
    [{ mapping: { 0: 'email', 7: 'comment' } }, 'mapping.7', 'no_such_column'],
    [{ mapping: { 0: 'email', 1: 'email' } }, 'mapping.1', 'mapped_twice'],
    [{ mapping: { 0: 'email', 1: 'fields.town' } }, 'mapping.1', 'no_such_field'],
    [{ mapping: { 0: 'email', 1: 'phone' } }, 'mapping.1', 'one_of'],
    [{ mapping: { 0: 'email', 1: 5 } }, 'mapping.1', 'wrong_type'],
    [{ mapping: [] }, 'mapping', 'wrong_type'],
    [{ createFields: [{ key: 'email', label: 'x', type: 'text' }] }, 'createFields.0.key', 'field_key_reserved'],
    [{ createFields: [{ key: 'x', type: 'text', y: 1 }] }, 'createFields.0.y', 'unknown_field'],
    [{ createFields: ['x'] }, 'createFields.0', 'wrong_type'],
    [{ tags: ['a\nb'] }, 'tags.0', 'not_one_line'],
    [{ tags: ['ok', 'a,b'] }, 'tags.1', 'tag_comma'],
    [{ tags: ['a\ufffdb'] }, 'tags.0', 'broken_character'],
    [{ mode: 'replace' }, 'mode', 'one_of'],
    [{ encoding: 'x' }, 'encoding', 'one_of'],
  ])('is left alone by a wrong request: %j', async (request, field, code) => {
    const who = await api.person();
    const { importId } = await keep(who, 'email,name\na@b.ru,A\n');
    const answer = await call(who, 'POST', `/imports/${importId}/apply`, request);
    expect([answer.status, answer.body.errors?.[0]]).toEqual([400, expect.objectContaining({ field, code })]);
    expect((await call(who, 'GET', `/imports/${importId}`)).body.status).toBe('waiting');
  });

  it('makes no more fields than there may be, archived ones included', async () => {
    const who = await api.person();
    await api.database.affected(
      `INSERT INTO client_fields (owner_id, key, label, type, archived_at)
       SELECT $1, 'f' || n, 'f', 'text', CASE WHEN n < 10 THEN now() END FROM generate_series(1, 49) n`,
      [who.id],
    );
    const { importId } = await keep(who, 'email,x,y\na@b.ru,1,2\n');
    const answer = await call(who, 'POST', `/imports/${importId}/apply`, {
      mapping: { 0: 'email', 1: 'new:text', 2: 'new:text' },
    });
    expect([answer.status, answer.body.errors?.[0]]).toEqual([
      400,
      expect.objectContaining({ field: 'createFields', code: 'too_many' }),
    ]);
    expect((await call(who, 'GET', `/imports/${importId}`)).body.status).toBe('waiting');
  });

  it('is forgotten after an hour, and when it is imported', async () => {
    const who = await api.person();
    const kept = await keep(who, 'email\na@b.ru\n');
    await api.database.affected(`UPDATE imports SET kept_at = kept_at - interval '61 minutes' WHERE id = $1`, [
      kept.importId,
    ]);
    await take(who, 'email\nb@b.ru\n', {});
    await imports.runPending();
    expect(
      await api.database.rows('SELECT FROM import_files f JOIN imports i ON i.id = import_id WHERE owner_id = $1', [
        who.id,
      ]),
    ).toEqual([]);
    expect((await call(who, 'GET', `/imports/${kept.importId}`)).body).toMatchObject({
      status: 'failed',
      reasonCode: 'file_expired',
    });
    const late = await call(who, 'POST', `/imports/${kept.importId}/apply`, {});
    expect([late.status, late.body.code]).toEqual([409, 'IMPORT_FILE_GONE']);
  });

  it('leaves no parts, even if nothing else is to be forgotten', async () => {
    const who = await api.person();
    const { importId } = await keep(who, 'email\na@b.ru\n');
    await imports.runPending();
    await api.database.affected(`UPDATE imports SET kept_at = NULL, status = 'failed' WHERE id = $1`, [importId]);
    await imports.runPending();
    expect(await api.database.rows('SELECT FROM import_files WHERE import_id = $1', [importId])).toEqual([]);
  });

  it('is refused if it and those that wait are too large together', async () => {
    const who = await api.person();
    const { importId } = await keep(who, 'email\na@b.ru\n');
    await api.database.affected('UPDATE imports SET file_bytes = 1e12 WHERE id = $1', [importId]);
    const refused = await upload(who, 'email\nb@b.ru\n');
    expect([refused.status, await refused.json()]).toMatchObject([400, { errors: [{ field: 'file' }] }]);
    expect(
      await api.database.rows(
        'SELECT i.id FROM import_files f JOIN imports i ON i.id = import_id WHERE owner_id = $1',
        [who.id],
      ),
    ).toEqual([{ id: importId }]);
    await keep(await api.person(), 'email\nb@b.ru\n');
    await api.database.affected(`UPDATE imports SET status = 'done', dry_run = false WHERE id = $1`, [importId]);
    await keep(who, 'email\nb@b.ru\n');
  });

  it('whose reading kills its process is not read for ever', async () => {
    const who = await api.person();
    const { importId } = await keep(who, 'email\na@b.ru\n');
    await api.database.affected(
      `UPDATE imports SET status = 'running', reader = 'gone', readings = 3, alive_at = now() - interval '1 hour',
         plan = $2 WHERE id = $1`,
      [importId, JSON.stringify({ mapping: { 0: 'email' }, tags: [], newFields: [], clears: false, headless: false })],
    );
    await imports.resume(importId);
    expect((await call(who, 'GET', `/imports/${importId}`)).body).toMatchObject({
      status: 'failed',
      reasonCode: 'file_unreadable',
    });
    // Its sender may decide again.
    expect(await applied(who, importId, {})).toMatchObject({ status: 'done', added: 1 });
  });

  it('may have long headers and words beyond the first plane of Unicode', async () => {
    const who = await api.person();
    const name = `x${'😀'.repeat(150)}`;
    const done = await take(who, `email,${name}\na@b.ru,1\n`, { mapping: { 0: 'email', 1: 'new:text' } });
    expect(done).toMatchObject({ status: 'done', added: 1 });
  });

  it('is divided by the lines that are there, however far they are apart', async () => {
    const who = await api.person();
    const [{ id } = { id: 0 }] = await api.database.rows<{ id: number }>(
      `INSERT INTO imports (owner_id, status, staged_at, rows) VALUES ($1, 'running', now(), 2) RETURNING id`,
      [who.id],
    );
    await api.database.affected(
      `INSERT INTO import_rows VALUES ($1, 2, 'a@b.ru', '', ''), ($1, 200000000, 'b@b.ru', '', '')`,
      [id],
    );
    await imports.resume(id, 0);
    const [left] = await api.database.rows<{ n: number }>(
      'SELECT count(*)::int AS n FROM import_chunks WHERE import_id = $1',
      [id],
    );
    expect(left?.n).toBeLessThan(2);
    while (!(await imports.resume(id)));
    expect((await call(who, 'GET', `/imports/${id}`)).body).toMatchObject({ status: 'done', added: 2 });
  });

  it('is its owner’s alone', async () => {
    const [who, stranger, manager] = [await api.person(), await api.person(), await api.person('manager')];
    const { importId } = await keep(who, 'email\na@b.ru\n');
    expect((await call(stranger, 'POST', `/imports/${importId}/apply`, {})).status).toBe(404);
    expect((await call(manager, 'POST', `/imports/${importId}/apply`, {})).status).toBe(403);
    expect((await call(stranger, 'GET', `/imports/${importId}/columns`)).status).toBe(404);
  });

  it.each([
    ['', 'file_empty'],
    ['\x1f\x8b\x08', 'file_foreign'],
    ['PK\x03\x04', 'workbook'],
  ])('is refused if it is no table: %j', async (file, code) => {
    const answer = await upload(await api.person(), Buffer.from(file, 'latin1'));
    expect([answer.status, ((await answer.json()) as { errors: { code: string }[] }).errors[0]?.code]).toEqual([
      400,
      code,
    ]);
  });

  it('is read again by another process if the one that read it died', async () => {
    const who = await api.person();
    const { importId } = await keep(who, 'email,city\na@b.ru,Tver\nb@b.ru,Tver\n');
    await api.database.affected(
      `UPDATE imports SET status = 'running', reader = 'gone', rows = 1, alive_at = now() - interval '1 hour', plan = $2 WHERE id = $1`,
      [
        importId,
        JSON.stringify({
          mapping: { 0: 'email' },
          encoding: null,
          delimiter: null,
          sheet: null,
          headless: false,
          clears: false,
          tags: [],
          newFields: [],
        }),
      ],
    );
    await api.database.affected(`INSERT INTO import_rows VALUES ($1, 2, 'a@b.ru', '', '')`, [importId]);
    await imports.runPending();
    while (!(await imports.resume(importId)));
    expect((await call(who, 'GET', `/imports/${importId}`)).body).toMatchObject({ status: 'done', rows: 2, added: 2 });
  });
});

describe('what rows bring', () => {
  it('names in parts, or none', async () => {
    const who = await api.person();
    await take(who, 'E-mail,Имя,Отчество,Фамилия\na@b.ru,Анна,Петровна,Ёлкина\nb@b.ru,,,Ким\nc@b.ru,,,\n', {});
    expect((await clientsOf(who)).map((c) => (c as { fullName: string }).fullName)).toEqual([
      'Анна Петровна Ёлкина',
      'Ким',
      '',
    ]);
    await take(who, 'email,name\na@b.ru,\nb@b.ru,Kim\n', {});
    expect((await clientsOf(who)).map((c) => (c as { fullName: string }).fullName)).toEqual([
      'Анна Петровна Ёлкина',
      'Kim',
      '',
    ]);
    await take(who, 'email,name\na@b.ru,\n', { emptyCells: 'clear' });
    expect((await clientsOf(who))[0]).toMatchObject({ fullName: '' });
  });

  it('states: who is out is excluded in the same moment, and counted', async () => {
    const who = await api.person();
    const file =
      'email,name,status,Unsubscribed\na@b.ru,A,subscribed,0\nb@b.ru,B,Unsubscribed,0\nc@b.ru,C,blocklisted,\n' +
      'd@b.ru,D,cleaned,\ne@b.ru,E,,1\nf@b.ru,F,bounced,\ng@b.ru,G,complained,\nh@b.ru,H,whatever,\n';
    const done = await take(who, file, {});
    expect(done).toMatchObject({ added: 7, rejected: 1, statusRows: 6, newlySuppressed: 6, suppressed: 6 });
    expect(done.errors).toMatchObject([{ line: 9, email: 'h@b.ru', field: 'status', code: 'unknown_status' }]);
    expect(await suppressed(who)).toEqual([
      { emailKey: 'b@b.ru', reason: 'unsubscribed', source: 'import', detail: 'Unsubscribed' },
      { emailKey: 'c@b.ru', reason: 'manual', source: 'import', detail: 'blocklisted' },
      { emailKey: 'd@b.ru', reason: 'hard_bounce', source: 'import', detail: 'cleaned' },
      { emailKey: 'e@b.ru', reason: 'unsubscribed', source: 'import', detail: 'Unsubscribed: 1' },
      { emailKey: 'f@b.ru', reason: 'hard_bounce', source: 'import', detail: 'bounced' },
      { emailKey: 'g@b.ru', reason: 'complaint', source: 'import', detail: 'complained' },
    ]);
    expect(await take(who, file, {})).toMatchObject({ updated: 7, statusRows: 6, newlySuppressed: 0, suppressed: 6 });
  });

  it('states of lines that are left out: whoever is out in any line is excluded, by the gravest reason', async () => {
    const who = await api.person();
    await call(who, 'POST', '/clients', { email: 'known@b.ru' });
    await api.database.affected(
      `INSERT INTO client_fields (owner_id, key, label, type) VALUES ($1, 'born', 'born', 'date')`,
      [who.id],
    );
    const file =
      'email,born,status\n' +
      'a@b.ru,,\nA@b.ru,,blocklisted\na@b.ru,,unsubscribed\n' +
      'known@b.ru,someday,unsubscribed\n' +
      'c@b.ru,someday,cleaned\nC@b.ru,2000-01-01,\nc@b.ru,someday,complained\n' +
      'bad,,unsubscribed\n';
    const numbers = { rows: 8, added: 2, updated: 0, rejected: 6, statusRows: 3, suppressed: 3 };
    expect(await take(who, file, { dryRun: true })).toMatchObject({ ...numbers, newlySuppressed: 0 });
    const done = await take(who, file, {});
    expect(done).toMatchObject({ ...numbers, newlySuppressed: 3 });
    expect((done.errors as unknown as { line: number; code: string }[]).map((e) => [e.line, e.code])).toEqual([
      [3, 'repeated'],
      [4, 'repeated'],
      [5, 'day'],
      [6, 'day'],
      [8, 'day'],
      [9, 'email'],
    ]);
    expect((await clientsOf(who)).map((c) => (c as { email: string }).email)).toEqual([
      'known@b.ru',
      'a@b.ru',
      'C@b.ru',
    ]);
    expect(await suppressed(who)).toEqual([
      { emailKey: 'a@b.ru', reason: 'unsubscribed', source: 'import', detail: 'unsubscribed' },
      { emailKey: 'c@b.ru', reason: 'complaint', source: 'import', detail: 'complained' },
      { emailKey: 'known@b.ru', reason: 'unsubscribed', source: 'import', detail: 'unsubscribed' },
    ]);
    expect(await api.database.rows('SELECT FROM import_rows WHERE import_id = $1', [done.id])).toEqual([]);
  });

  it('does not count among those who get no mail whose exclusion has ended', async () => {
    const who = await api.person();
    await api.database.rows(
      `INSERT INTO suppressions (email_key, address_hash, reason, source, expires_at)
       SELECT email, address_hash(email), 'hard_bounce', 'inbound', now() + hours * interval '1 hour'
         FROM (VALUES ('over@rests.ru', -1), ('still@rests.ru', 1)) r (email, hours)`,
    );
    const { importId } = (await (await upload(who, 'email\nover@rests.ru\nstill@rests.ru\n', '')).json()) as {
      importId: number;
    };
    expect((await call(who, 'GET', `/imports/${importId}`)).body).toMatchObject({ added: 2, suppressed: 1 });
  });

  it('the same when the file is taken as it is, where unknown words say nothing', async () => {
    const who = await api.person();
    const answer = await upload(who, 'email,status,phone\na@b.ru,lead,1\nb@b.ru,unsubscribed,2\n', '');
    expect(answer.status).toBe(202);
    const { importId } = (await answer.json()) as { importId: number };
    expect((await call(who, 'GET', `/imports/${importId}`)).body).toMatchObject({
      added: 2,
      suppressed: 1,
      newlySuppressed: 1,
      ignoredColumns: ['phone'],
    });
    expect(await suppressed(who)).toHaveLength(1);
  });

  it('values of the owner’s fields, checked and merged', async () => {
    const who = await api.person();
    for (const [key, type, label] of [
      ['age', 'number', 'Возраст'],
      ['since', 'date', 'Since'],
      ['city', 'text', 'City'],
    ])
      await api.database.affected('INSERT INTO client_fields (owner_id, key, label, type) VALUES ($1, $2, $3, $4)', [
        who.id,
        key,
        label,
        type,
      ]);
    const { importId } = (await (
      await upload(who, 'email,возраст,SINCE,city\na@b.ru,"1 234,5",31.12.2025,Tver\nb@b.ru,old,,\n', '')
    ).json()) as { importId: number };
    const done = (await call(who, 'GET', `/imports/${importId}`)).body;
    expect(done).toMatchObject({ added: 1, rejected: 1, errors: [{ line: 3, field: 'fields.age', code: 'number' }] });
    await take(who, 'email,age,city\na@b.ru,7,\n', {});
    expect(await clientsOf(who)).toMatchObject([{ fields: { age: 7, since: '2025-12-31', city: 'Tver' } }]);
    await take(who, 'email,age,city\na@b.ru,8,\n', { emptyCells: 'clear' });
    expect(await clientsOf(who)).toMatchObject([{ fields: { age: 8, since: '2025-12-31' } }]);
  });

  it('not more values than a client may have: the line is rejected, the others are taken', async () => {
    const who = await api.person();
    const key = (i: number) => `f${i}`;
    for (let i = 0; i < 8; i++)
      await api.database.affected(
        `INSERT INTO client_fields (owner_id, key, label, type) VALUES ($1, $2, $2, 'text')`,
        [who.id, key(i)],
      );
    const long = 'x'.repeat(1_900);
    const head = (from: number) => `email,${[0, 1, 2, 3].map((i) => key(from + i)).join()}\n`;
    const row = (email: string, text: string) => `${email},${[1, 2, 3, 4].map(() => text).join()}\n`;
    expect(await take(who, head(0) + row('a@b.ru', long) + row('b@b.ru', 'x') + row('c@b.ru', long), {})).toMatchObject(
      { added: 3 },
    );
    const done = await take(
      who,
      head(4) + row('a@b.ru', long) + row('b@b.ru', long) + row('c@b.ru', 'short') + row('d@b.ru', long),
      {},
    );
    expect(done).toMatchObject({
      rows: 4,
      added: 1,
      updated: 2,
      rejected: 1,
      errors: [{ line: 2, email: 'a@b.ru', code: 'fields_too_long' }],
    });
    const [a] = (await clientsOf(who)) as { fields: object }[];
    expect(Object.keys(a?.fields ?? {})).toEqual(['f0', 'f1', 'f2', 'f3']);
    const wide = `email,${Array.from({ length: 8 }, (_, i) => key(i)).join()}\ne@b.ru,${Array.from({ length: 8 }, () => long).join()}\n`;
    expect(await take(who, wide, {})).toMatchObject({
      rejected: 1,
      errors: [{ field: 'fields', code: 'fields_too_long' }],
    });
  });

  it('tags, of the rows and of all; those that are there are found in any case', async () => {
    const who = await api.person();
    await api.database.affected(`INSERT INTO tags (owner_id, name) VALUES ($1, 'VIP')`, [who.id]);
    const file = 'email,tags\na@b.ru,"vip, New; New"\nb@b.ru,\nc@b.ru,"""Old"",""VIP"""\n';
    expect(await take(who, file, { tags: ['All', 'vip'] })).toMatchObject({ added: 3 });
    expect((await clientsOf(who)).map((c) => (c as { tags: string[] }).tags)).toEqual([
      ['All', 'New', 'VIP'],
      ['All', 'VIP'],
      ['All', 'Old', 'VIP'],
    ]);
    // Known clients that are not changed get them, too.
    expect(await take(who, 'email,tags\nb@b.ru,Late\n', {})).toMatchObject({ updated: 1 });
    expect((await clientsOf(who))[1]).toMatchObject({ tags: ['All', 'Late', 'VIP'] });
    expect(
      await api.database.rows('SELECT name, clients FROM tags WHERE owner_id = $1 ORDER BY name', [who.id]),
    ).toEqual([
      { name: 'All', clients: 3 },
      { name: 'Late', clients: 1 },
      { name: 'New', clients: 1 },
      { name: 'Old', clients: 1 },
      { name: 'VIP', clients: 3 },
    ]);
    const many = Array.from({ length: 1_001 }, (_, i) => `x${i}@b.ru,tag ${i}\n`).join('');
    expect(await take(who, `email,tags\n${many}`, {})).toMatchObject({
      status: 'failed',
      reasonCode: 'too_many_new_tags',
      added: 0,
    });
    // Five are there already.
    for (const dryRun of [true, false])
      expect(await take(who, `email,tags\n${many.split('\n').slice(0, 996).join('\n')}\n`, { dryRun })).toMatchObject({
        status: 'failed',
        reasonCode: 'tags_full',
        added: 0,
      });
    const row = Array.from({ length: 51 }, (_, i) => i).join(';');
    expect(await take(who, `email|tags\nz@b.ru|${row}\n`, {})).toMatchObject({
      rejected: 1,
      errors: [{ field: 'tags', code: 'too_many' }],
    });
  });

  it('as the mode says', async () => {
    const who = await api.person();
    await take(who, 'email,name\na@b.ru,A\n', {});
    const file = 'email,name,tags,status\na@b.ru,Changed,t,\nb@b.ru,New,t,unsubscribed\n';
    expect(await take(who, file, { mode: 'update' })).toMatchObject({
      added: 0,
      updated: 1,
      skipped: 1,
      newlySuppressed: 1,
    });
    expect(await clientsOf(who)).toMatchObject([{ fullName: 'Changed', tags: ['t'] }]);
    expect(await take(who, file.replace('Changed', 'Again').replaceAll(',t,', ',u,'), { mode: 'add' })).toMatchObject({
      added: 1,
      updated: 0,
      skipped: 1,
    });
    expect(await clientsOf(who)).toMatchObject([
      { fullName: 'Changed', tags: ['t'] },
      { fullName: 'New', tags: ['u'] },
    ]);
    for (const [mode, added, skipped] of [
      ['add', 0, 2],
      ['update', 0, 0],
    ])
      expect(await take(who, file, { mode, dryRun: true })).toMatchObject({ added, skipped });
  });

  it.each(['upsert', 'add', 'update'] as const)(
    'vouch for an address that a stranger entered in a form: %s',
    async (mode) => {
      const who = await api.person();
      await api.database.rows(`INSERT INTO clients (owner_id, email, unconfirmed_since) VALUES ($1, 'v@b.ru', now())`, [
        who.id,
      ]);
      await take(who, 'email\nV@b.ru\n', { mode });
      expect((await call(who, 'GET', '/clients')).body.items).toMatchObject([
        { email: 'v@b.ru', subscription: { status: 'subscribed' } },
      ]);
    },
  );

  it('rejected lines come back with their columns, can be mended and sent again', async () => {
    const who = await api.person();
    const { importId } = await keep(
      who,
      'Name;Phone;Mail;Note\nA;1;a@b.ru;x\nB;2;bad;"two\nlines"\nC;3;A@b.ru;\n"D"x;4;d@b.ru;\n=E;5;;z\n',
    );
    const done = await applied(who, importId, {});
    expect(done).toMatchObject({ added: 1, rejected: 4 });
    const csv = (await call(who, 'GET', `/imports/${importId}/rejected.csv`)).text;
    expect(csv.split('\r\n')).toEqual([
      'Name,Phone,Mail,Note,line,reason',
      'B,2,bad,"two\nlines",3,email: The e-mail address has no @.',
      'C,,A@b.ru,,5,email: repeats the address of line 2',
      expect.stringMatching(/^"D""x",4,d@b.ru,,6,"line: has text behind/) as string,
      `'=E,5,,z,7,email: The e-mail address is empty.`,
      '',
    ]);
    const mended = csv.replace('bad', 'b@b.ru').replace("'=E,5,,z", 'E,5,e@b.ru,z').replace('A@b.ru', 'c@b.ru');
    expect(await take(who, mended, {})).toMatchObject({
      added: 4,
      rejected: 0,
      ignoredColumns: ['Phone', 'line', 'reason'],
    });
  });
});

describe('staging', () => {
  it('is repeated after a deadlock, with all rejected lines', async () => {
    const who = await api.person();
    await api.database.affected(`
      CREATE SEQUENCE deadlocks;
      CREATE FUNCTION deadlock_once() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('deadlocks') = 1 THEN RAISE EXCEPTION 'deadlock' USING ERRCODE = '40P01'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER deadlock_once BEFORE UPDATE OF staged_at ON imports
        FOR EACH ROW WHEN (NEW.staged_at IS NOT NULL AND OLD.staged_at IS NULL) EXECUTE FUNCTION deadlock_once()`);
    try {
      const done = await take(who, 'email,x\na@b.ru,1\nbad,2\na@b.ru,3\n', {});
      expect(done).toMatchObject({ added: 1, rejected: 2 });
      expect((await api.database.rows<{ n: number }>(`SELECT last_value AS n FROM deadlocks`))[0]?.n).toBe(2);
      const csv = (await call(who, 'GET', `/imports/${String(done.id)}/rejected.csv`)).text;
      expect(
        csv
          .split('\r\n')
          .slice(1)
          .map((line) => line.split(',').slice(0, 3)),
      ).toEqual([['bad', '2', '3'], ['a@b.ru', '', '4'], ['']]);
    } finally {
      await api.database.affected(
        'DROP TRIGGER deadlock_once ON imports; DROP FUNCTION deadlock_once; DROP SEQUENCE deadlocks',
      );
    }
  });
});

describe('what is deleted while an import runs', () => {
  const fields = (who: Person) =>
    api.database.affected(
      `INSERT INTO client_fields (owner_id, key, label, type, options) SELECT $1, key, key, type, options::text[]
         FROM (VALUES ('gone', 'text', '{}'), ('other', 'text', '{}'), ('stays', 'text', '{}'),
                      ('plan', 'choice', '{free,paid}')) f (key, type, options)`,
      [who.id],
    );
  const stage = async (who: Person, file: string, request: ImportRequest) => {
    const { importId } = await keep(who, file);
    // The API would apply so few rows at once.
    await api.app
      .get(ImportPlans, { strict: false })
      .decide({ userId: Number(who.id), role: 'user' }, importId, request);
    expect(await api.app.get(ImportStager, { strict: false }).stageKept(importId)).toBe(true);
    return importId;
  };
  const apply = async (who: Person, importId: number) => {
    while (!(await imports.resume(importId)));
    return (await call(who, 'GET', `/imports/${importId}`)).body;
  };

  it.each(['upsert', 'add', 'update'] as const)('is no tag any more: %s', async (mode) => {
    const who = await api.person();
    if (mode === 'update') await take(who, 'email\na@b.ru\nb@b.ru\n', {});
    const importId = await stage(who, 'email,tags\na@b.ru,"x,y"\nb@b.ru,x\n', { tags: ['z', 'all'], mode });
    await api.database.affected(`DELETE FROM tags WHERE owner_id = $1 AND name IN ('x', 'z')`, [who.id]);
    expect(await apply(who, importId)).toMatchObject({ status: 'done', rows: 2 });
    expect(await clientsOf(who)).toMatchObject([{ tags: ['all', 'y'] }, { tags: ['all'] }]);
  });

  it.each(['leave', 'clear'] as const)('is no field and no option any more: empty cells %s', async (emptyCells) => {
    const who = await api.person();
    await fields(who);
    await take(who, 'email,other\nb@b.ru,old\n', {});
    const importId = await stage(
      who,
      'email,gone,other,stays,plan\na@b.ru,1,2,3,paid\nb@b.ru,1,2,3,free\nc@b.ru,1,2,,paid\n',
      { emptyCells },
    );
    await api.database.affected(`DELETE FROM client_fields WHERE owner_id = $1 AND key IN ('gone', 'other')`, [who.id]);
    await api.database.affected(
      `INSERT INTO client_fields (owner_id, key, label, type) VALUES ($1, 'other', 'other', 'date')`,
      [who.id],
    );
    await api.database.affected(`UPDATE client_fields SET options = '{free}' WHERE owner_id = $1 AND key = 'plan'`, [
      who.id,
    ]);
    expect(await apply(who, importId)).toMatchObject({ status: 'done', added: 2, updated: 1, rejected: 0 });
    expect(await clientsOf(who)).toMatchObject([
      { email: 'b@b.ru', fields: { other: 'old', stays: '3', plan: 'free' } },
      { email: 'a@b.ru', fields: { stays: '3' } },
      { email: 'c@b.ru', fields: {} },
    ]);
    const got = (await clientsOf(who)) as { fields: object }[];
    expect(got.map((c) => Object.keys(c.fields).length)).toEqual([3, 1, 0]);
  });

  it('are all its fields', async () => {
    const who = await api.person();
    await fields(who);
    const importId = await stage(who, 'email,gone\na@b.ru,1\n', {});
    await api.database.affected('DELETE FROM client_fields WHERE owner_id = $1', [who.id]);
    expect(await apply(who, importId)).toMatchObject({ status: 'done', added: 1 });
    expect(await clientsOf(who)).toEqual([{ email: 'a@b.ru', fullName: '', comment: '', fields: {}, tags: [] }]);
  });
});

describe('undoing', () => {
  const undo = async (who: Person, importId: number) => {
    const answer = await call(who, 'POST', `/imports/${importId}/undo`);
    if (answer.status === 202) while (!(await imports.resume(importId)));
    return answer;
  };

  it('deletes whom the import added, but not who got something or was changed', async () => {
    const who = await api.person();
    await take(who, 'email,name\nknown@b.ru,Known\n', {});
    const file =
      'email,name,tags,status\n' +
      ['known', 'a', 'sent', 'edited', 'open', 'out']
        .map((n) => `${n}@b.ru,${n},t,${n === 'out' ? 'unsubscribed' : ''}\n`)
        .join('');
    const done = await take(who, file, {});
    expect(done).toMatchObject({ added: 5, updated: 1 });
    const own = await api.database.rows<{ fullName: string; id: number }>(
      'SELECT full_name, id FROM clients WHERE owner_id = $1',
      [who.id],
    );
    const ids = Object.fromEntries(own.map(({ fullName, id }) => [fullName, id]));
    const runId = await make().run(await make().mailing({ ownerId: Number(who.id) }));
    await api.database.affected(
      `INSERT INTO deliveries (run_id, client_id, email, status, attempts) VALUES ($1, $2, 'sent@b.ru', 'sent', 1), ($1, $3, 'open@b.ru', 'pending', 0)`,
      [runId, ids.sent, ids.open],
    );
    expect((await call(who, 'PATCH', `/clients/${ids.edited}`, { comment: 'by hand' })).body).toMatchObject({
      comment: 'by hand',
    });
    const stranger = await api.person();
    expect((await undo(stranger, done.id)).status).toBe(404);
    expect((await undo(await api.person('manager'), done.id)).status).toBe(403);
    expect((await undo(who, done.id)).status).toBe(202);
    expect((await call(who, 'GET', `/imports/${String(done.id)}`)).body).toMatchObject({
      undone: 3,
      undoKept: 2,
      undoneAt: expect.any(String) as string,
    });
    expect((await clientsOf(who)).map((c) => (c as { email: string }).email)).toEqual([
      'known@b.ru',
      'sent@b.ru',
      'edited@b.ru',
    ]);
    expect(
      await api.database.rows(`SELECT status, reason FROM deliveries WHERE run_id = $1 ORDER BY id`, [runId]),
    ).toEqual([
      { status: 'sent', reason: null },
      { status: 'skipped', reason: 'client_deleted' },
    ]);
    expect(await suppressed(who)).toMatchObject([{ emailKey: 'out@b.ru' }]);
    expect(await api.database.rows('SELECT name, clients FROM tags WHERE owner_id = $1', [who.id])).toEqual([
      { name: 't', clients: 3 },
    ]);
    // Once more is the same.
    expect((await undo(who, done.id)).status).toBe(202);
  });

  it('leaves who is somebody else’s, too', async () => {
    const who = await api.person();
    const names = ['alone', 'again', 'added', 'same', 'tagged', 'chosen', 'signedUp'];
    const done = await take(who, `email,name\n${names.map((n) => `${n}@b.ru,${n}\n`).join('')}`, { tags: ['t'] });
    expect(done).toMatchObject({ added: names.length });
    const own = await api.database.rows<{ fullName: string; id: number }>(
      'SELECT full_name, id FROM clients WHERE owner_id = $1',
      [who.id],
    );
    const ids = Object.fromEntries(own.map(({ fullName, id }) => [fullName, id])) as Record<string, number>;
    const before = await api.database.rows('SELECT id, updated_at FROM clients WHERE owner_id = $1 ORDER BY id', [
      who.id,
    ]);
    // Nothing in them differs.
    await take(who, 'email,name\nagain@b.ru,again\n', {});
    await take(who, 'email,name\nsame@b.ru,\n', { mode: 'update' });
    expect(await take(who, 'email,name\nadded@b.ru,X\n', { mode: 'add', tags: ['u'] })).toMatchObject({
      added: 0,
      skipped: 1,
    });
    expect(
      await api.database.rows('SELECT id, updated_at FROM clients WHERE owner_id = $1 ORDER BY id', [who.id]),
    ).toEqual(before);
    await api.database.affected(
      `WITH tag AS (INSERT INTO tags (owner_id, name) VALUES ($1, 'mine') RETURNING id)
       INSERT INTO client_tags (tag_id, client_id) SELECT id, $2 FROM tag`,
      [who.id, ids.tagged],
    );
    await make().select(await make().mailing({ ownerId: Number(who.id) }), [ids.chosen as number]);
    await api.database.affected(
      `WITH form AS (INSERT INTO signup_forms (owner_id, token, name, language, title)
                     VALUES ($1, 'undoing', 'Site', 'en', 'News') RETURNING id)
       INSERT INTO signups (form_id, owner_id, email, consent_text, ip, expires_at)
       SELECT id, $1, 'SignedUp@b.ru', '', '', now() FROM form`,
      [who.id],
    );
    expect((await undo(who, done.id)).status).toBe(202);
    expect((await call(who, 'GET', `/imports/${String(done.id)}`)).body).toMatchObject({ undone: 1, undoKept: 3 });
    expect((await clientsOf(who)).map((c) => (c as { fullName: string }).fullName)).toEqual(names.slice(1));
    expect((await clientsOf(who))[1]).toMatchObject({ fullName: 'added', tags: ['t'] });
  });

  it('waits for planning that has read the clients already', async () => {
    const who = await api.person();
    const done = await take(who, 'email\nsent@b.ru\nplanned@b.ru\nnever@b.ru\n', {});
    const clients = await api.database.rows<{ id: number }>('SELECT id FROM clients WHERE owner_id = $1 ORDER BY id', [
      who.id,
    ]);
    const runId = await make().run(await make().mailing({ ownerId: Number(who.id) }));
    await api.database.affected(`UPDATE runs SET status = 'planning', planned_at = NULL WHERE id = $1`, [runId]);
    const { undoing } = await api.database.transaction(async (tx) => {
      await tx.rows('SELECT FROM runs WHERE id = $1 FOR NO KEY UPDATE', [runId]);
      const going = undo(who, done.id);
      await new Promise((wake) => setTimeout(wake, 300));
      await tx.affected(
        `INSERT INTO deliveries (run_id, client_id, email, status, attempts)
         VALUES ($1, $2, 'sent@b.ru', 'sent', 1), ($1, $3, 'planned@b.ru', 'pending', 0)`,
        [runId, clients[0]!.id, clients[1]!.id],
      );
      return { undoing: going };
    });
    expect((await undoing).status).toBe(202);
    expect((await clientsOf(who)).map((c) => (c as { email: string }).email)).toEqual(['sent@b.ru']);
    expect(await api.database.rows('SELECT status FROM deliveries WHERE run_id = $1 ORDER BY id', [runId])).toEqual([
      { status: 'sent' },
      { status: 'skipped' },
    ]);
  });

  it('goes on where another process left it', async () => {
    const who = await api.person();
    const rows = Array.from({ length: 5_000 }, (_, i) => `c${i}@b.ru\n`).join('');
    const done = await take(who, `email\n${rows}`, {});
    expect(done.added).toBe(5_000);
    await call(who, 'POST', `/imports/${String(done.id)}/undo`);
    expect(await imports.resume(done.id, 0)).toBe(false);
    expect((await call(who, 'GET', `/imports/${String(done.id)}`)).body).toMatchObject({
      undone: 2_000,
      undoneAt: null,
    });
    await imports.runPending();
    while (!(await imports.resume(done.id)));
    expect((await call(who, 'GET', `/imports/${String(done.id)}`)).body).toMatchObject({ undone: 5_000, undoKept: 0 });
    expect(await clientsOf(who)).toEqual([]);
  });

  it('is refused where there is nothing to undo', async () => {
    const who = await api.person();
    const dry = await take(who, 'email\na@b.ru\n', { dryRun: true });
    expect((await undo(who, dry.id)).body).toMatchObject({ status: 409, code: 'IMPORT_NOT_UNDOABLE' });
  });
});

describe('a workbook', () => {
  const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
  const rows = [
    ['E-mail', 'Имя', 'Since', 'Status'],
    ['a@b.ru', 'Анна', { xml: '<c s="1"><v>45000</v></c>' }, null],
    ['b@b.ru', null, null, 'unsubscribed'],
    ['bad', 'Боб', null, null],
  ];
  const file = zip(workbook({ Notes: [['x']], Clients: rows }));

  it('is looked at, a sheet is chosen, and it is imported', async () => {
    const who = await api.person();
    const { importId, ...seen } = await keep(who, file, XLSX);
    expect(seen).toMatchObject({
      encoding: null,
      delimiter: null,
      sheets: ['Notes', 'Clients'],
      columns: [{ header: 'x' }],
    });
    const other = (await call(who, 'GET', `/imports/${importId}/columns?sheet=Clients`)).body as unknown as Columns;
    expect(other.columns.map((c) => [c.header, c.samples, c.suggested])).toEqual([
      ['E-mail', ['a@b.ru', 'b@b.ru', 'bad'], 'email'],
      ['Имя', ['Анна', 'Боб'], 'fullName'],
      ['Since', ['2023-03-15'], 'ignore'],
      ['Status', ['unsubscribed'], 'status'],
    ]);
    const done = await applied(who, importId, {
      sheet: 'Clients',
      mapping: { 0: 'email', 1: 'fullName', 2: 'new:date', 3: 'status' },
    });
    expect(done).toMatchObject({ added: 2, rejected: 1, newlySuppressed: 1, encoding: null, delimiter: null });
    expect(await clientsOf(who)).toMatchObject([
      { fullName: 'Анна', fields: { since: '2023-03-15' } },
      { fullName: '' },
    ]);
    const csv = (await call(who, 'GET', `/imports/${importId}/rejected.csv`)).text;
    expect(csv).toContain('bad,Боб,,,4,email: The e-mail address has no @.');
    expect((await call(who, 'GET', `/imports/${importId}/columns?sheet=None`)).status).toBe(409);
  });

  it('is left to a worker if it is large, however it came', async () => {
    const who = await api.person();
    const noise = Array.from({ length: 6_000 }, (_, i) => [`a${i}@b.ru`, { xml: `<c><v>${Math.random()}</v></c>` }]);
    const large = zip(workbook({ Clients: [['email', 'n'], ...noise] }));
    expect(large.length).toBeGreaterThan(64 * 1024);
    const { importId } = (await (await upload(who, large, '', XLSX)).json()) as { importId: number };
    expect((await call(who, 'GET', `/imports/${importId}`)).body).toMatchObject({ status: 'running', added: 0 });
    while (!(await imports.resume(importId)));
    expect((await call(who, 'GET', `/imports/${importId}`)).body).toMatchObject({ status: 'done', added: 6_000 });
  });

  it('is taken as it is, too, by the names of its columns', async () => {
    const who = await api.person();
    const answer = await upload(who, zip(workbook({ Clients: rows })), '', XLSX);
    const { importId } = (await answer.json()) as { importId: number };
    expect((await call(who, 'GET', `/imports/${importId}`)).body).toMatchObject({
      status: 'done',
      added: 2,
      rejected: 1,
      suppressed: 1,
      ignoredColumns: ['Since'],
    });
  });
});
