import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebModule } from '../../src/web/web.module';
import { type Person, startApi, type TestApi } from '../support/api';
import { eventually } from '../support/service';

/** Senders that vanish or fall silent in the middle of a request leave nothing behind, and nothing `running`. */

let api: TestApi;
let user: Person;
let session: { cookie: string; csrf: string };

beforeAll(async () => {
  api = await startApi({ bodyIdleMs: 1_000 }, [WebModule]);
  user = await api.person();
  session = await api.signIn(user.email);
});
afterAll(() => api.close());

const ROWS = Array.from({ length: 20_000 }, (_, i) => `half${i}@example.org,Half ${i},a comment\n`).join('');
const CSV = `email,full_name,comment\n${ROWS}`;
const PART = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\nContent-Type: text/csv\r\n\r\n';
const FIELD = '--b\r\nContent-Disposition: form-data; name="check"\r\n\r\n1\r\n';

const text = () => ({ path: '/api/v1/clients/import', type: 'text/csv', head: '' });
const form = (head: string) => ({
  path: '/api/v1/clients/import',
  type: 'multipart/form-data; boundary=b',
  head,
});
const page = (head: string) => ({
  path: `/clients/import?_csrf=${session.csrf}`,
  type: 'multipart/form-data; boundary=b',
  head,
});

/** What was sent when the sender left; `rows` after the head. */
const CASES: [string, () => { path: string; type: string; head: string }, string][] = [
  ['text, before anything', text, ''],
  ['text, in the header line', text, 'email,full'],
  ['text, in the middle', text, CSV],
  ['form, before the part', () => form(''), ''],
  ["form, in the part's head", () => form(PART.slice(0, 40)), ''],
  ['form, behind a field', () => form(FIELD), ''],
  ['form, before the file', () => form(PART), ''],
  ['form, in the middle', () => form(PART), CSV],
  ['page, before the part', () => page(''), ''],
  ['page, in a field', () => page(FIELD.slice(0, -3)), ''],
  ['page, in the middle', () => page(FIELD + PART), CSV],
];

async function begin(request: { path: string; type: string; head: string }, rows: string, chunked: boolean) {
  const { port } = new URL(api.url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const who = request.path.startsWith('/api') ? `Authorization: Bearer ${user.token}` : `Cookie: ${session.cookie}`;
  const body = request.head + rows;
  const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length + 1_000}`;
  socket.write(
    `POST ${request.path} HTTP/1.1\r\nHost: x\r\n${who}\r\nContent-Type: ${request.type}\r\n${length}\r\n\r\n`,
  );
  if (body !== '') socket.write(chunked ? `${body.length.toString(16)}\r\n${body}\r\n` : body);
  return socket;
}

const connections = () =>
  new Promise<number>((resolve, reject) =>
    api.app.getHttpServer().getConnections((error, n) => (error ? reject(error) : resolve(n))),
  );

/** The state of all imports, once none is running and nothing of them is left. */
async function settled(before: number) {
  await eventually(async () => {
    const [left] = await api.database.rows<{ running: number; rows: number; open: number }>(
      `SELECT (SELECT count(*) FROM imports WHERE status = 'running') AS running, (SELECT count(*) FROM import_rows) AS rows,
              (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                  AND (state LIKE 'idle in%' OR query LIKE 'COPY%' AND state = 'active')) AS open`,
    );
    return left?.running === 0 && left.rows === 0 && left.open === 0 && (await connections()) <= before;
  }, 'that nothing is left');
  return api.database.rows<{ status: string; reason: string }>('SELECT status, reason FROM imports');
}

const LEAVE: [string, (socket: Socket) => unknown][] = [
  ['vanishes', (socket) => socket.resetAndDestroy()],
  ['closes', (socket) => socket.destroy()],
  ['half-closes', (socket) => socket.end()],
  ['falls silent', () => undefined],
];

describe.each(LEAVE)('a sender who %s', (how, leave) => {
  test.each(CASES)('%s', async (_, request, rows) => {
    for (const chunked of [false, true]) {
      await api.database.rows('DELETE FROM imports');
      const before = await connections();
      const socket = await begin(request(), rows, chunked);
      // What was sent is on its way in.
      if (rows === CSV)
        await eventually(async () => (await api.database.first('SELECT FROM imports')) && true, 'an import');
      leave(socket);
      await settled(before);
      // An import that had only begun to be made may come up behind that.
      await eventually(
        async () =>
          (await settled(before)).every(({ status, reason }) => status === 'failed' && reason.includes('upload')),
        `${how}: failed, with the upload as its reason`,
      );
      socket.destroy();
    }
    expect(await api.database.first('SELECT FROM clients')).toBeUndefined();
  });
});

test('half a body of JSON or of a form is nothing, and no connection', async () => {
  for (const [path, type] of [
    ['/api/v1/clients', 'application/json'],
    ['/clients/new', 'application/x-www-form-urlencoded'],
    ['/api/v1/auth/login', 'application/json'],
  ] as const)
    for (const [, leave] of LEAVE) {
      const before = await connections();
      const socket = await begin({ path, type, head: '{"email":' }, '', false);
      leave(socket);
      await settled(before);
      socket.destroy();
    }
});

test('a file that can not be taken is answered, however much of it is still to come', async () => {
  const answer = await api.call('POST', '/api/v1/clients/import', {
    token: user.token,
    headers: { 'content-type': 'text/csv' },
    body: `no header of ours\n${ROWS.repeat(5)}`,
  });
  expect(answer.status).toBe(202);
  const found = await api.call('GET', `/api/v1/imports/${String(answer.body.importId)}`, { token: user.token });
  expect(found.body.status).toBe('failed');
});

async function endTheBody(socket: Socket): Promise<void> {
  socket.write('x'.repeat(1_000));
  await once(socket, 'data');
  socket.destroy();
}

test.each([
  ['text', text(), (socket: Socket) => socket.destroy()],
  ['form', form(PART), (socket: Socket) => socket.destroy()],
  ['form, of which the body is whole', form(PART), endTheBody],
])('nor does the service end if the rest never comes: %s', async (_, request, leave) => {
  await api.database.rows('DELETE FROM imports');
  const before = await connections();
  const socket = await begin(request, `no header of ours\n${ROWS}`, false);
  await eventually(async () => api.database.first(`SELECT FROM imports WHERE status = 'failed'`), 'a refusal');
  await leave(socket);
  await settled(before);
});

test.each(['a,b\n1,2', PART.slice(0, 40)])(
  'a form that arrived in pieces is said to be so in the language of its reader: %j',
  async (body) => {
    const reader = await api.person();
    await api.database.rows(`UPDATE users SET language = 'ru' WHERE id = $1`, [reader.id]);
    const { cookie, csrf } = await api.signIn(reader.email);
    const answer = await api.call('POST', `/clients/import?_csrf=${csrf}`, {
      cookie,
      headers: { 'content-type': 'multipart/form-data; boundary=b' },
      body,
    });
    expect(answer.status).toBe(400);
    expect(answer.text.includes('дошло не целиком')).toBe(true);
    expect(answer.text.includes('multipart form')).toBe(false);
  },
);
