import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { startPostgres } from '../../tools/embedded/index.mjs';
import { addresses, mailingBody, messageBody } from '../support/factories';
import { Program } from '../support/program';
import { readJournal } from '../support/smtp-server';
import { type SmtpServerProcess, startSmtpServerProcess } from '../support/smtp-server-process';
import { ApiClient, createUser, eventually, QUICK } from '../support/service';

/** `npm start` as one types it, with a PostgreSQL and a Redis of its own, in a checkout of its own. */

const root = join(__dirname, '../..');
const LETTERS = 400;

let folder: string;
let smtp: SmtpServerProcess;
let service: Program;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gonets-start-'));
  for (const part of ['scripts', 'tools', 'package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(root, part), join(folder, part), { recursive: true });
  for (const part of ['dist', 'node_modules']) symlinkSync(join(root, part), join(folder, part));
  smtp = await startSmtpServerProcess({ journal: join(folder, 'journal') });
});

afterAll(async () => {
  await service.kill('SIGTERM');
  await smtp.kill();
  rmSync(folder, { recursive: true });
});

/** This process and all that it has started, and what those have. */
function family(pid: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), parent: parentOf(Number(name)) }));
  const children = (of: number): number[] =>
    parents.filter(({ parent }) => parent === of).flatMap((child) => [child.pid, ...children(child.pid)]);
  return [pid, ...children(pid)];
}

/** Undefined if there is no such process; a zombie is none. */
function parentOf(pid: number): number | undefined {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return undefined;
  try {
    const [state, parent] = readFileSync(path, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return state === 'Z' ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

const events = (event: string) => service.lines.filter((line) => line.includes(`"event":"${event}"`));

it('ends by SIGTERM in the right order: letters under way are written down, and nothing is left running', async () => {
  const { DATABASE_URL: _database, REDIS_URL: _redis, ...given } = process.env;
  const env = { ...given, ...QUICK, TAKEOVER_MS: '20000' };
  service = Program.start('npm', ['start'], {
    cwd: folder,
    env: {
      ...env,
      NODE_ENV: 'development',
      SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
      WORKERS: '2',
      RATE_LIMIT_PER_SECOND: '50',
    },
    logFile: join(folder, 'log'),
  });
  const started = await eventually(
    () => Promise.resolve(events('worker.started').length === 2 && events('api.started')[0]),
    'npm start',
    240_000,
  );
  const local = JSON.parse(readFileSync(join(folder, '.data/local.json'), 'utf8')) as Record<string, string>;
  const user = await createUser({ ...env, ...local }, 'owner@example.com');
  const { url } = JSON.parse(started) as { url: string };
  const api = new ApiClient(url.replace('[::1]', 'localhost'), user.token);

  const rows = addresses(LETTERS).map((email, i) => `${email},Client ${i},`);
  const csv = `email,full_name,comment\n${rows.join('\n')}\n`;
  const { body: begun } = await api.post<{ importId: number }>('/clients/import', csv, { 'content-type': 'text/csv' });
  await eventually(
    async () => (await api.get<{ status: string }>(`/imports/${begun.importId}`)).body.status === 'done',
    'import',
  );
  const message = await api.post<{ id: number }>('/messages', messageBody());
  const mailing = await api.post<{ id: number }>('/mailings', mailingBody(message.body.id));
  expect((await api.post(`/mailings/${mailing.body.id}/send`)).status).toBe(202);
  // As root, PostgreSQL's account has a group that may pass through. Nobody else sees anything.
  expect(statSync(join(folder, '.data')).mode & 0o777).toBe(process.getuid?.() === 0 ? 0o710 : 0o700);
  await eventually(async () => (await smtp.stats()).accepted >= 20, 'letters');

  const running = family(service.pid);
  expect(running.length).toBeGreaterThan(6);
  service.signal('SIGTERM');
  expect(await service.exited).toEqual([0, null]);
  expect(events('worker.stopped')).toHaveLength(2);
  await eventually(
    () => Promise.resolve(running.every((pid) => parentOf(pid) === undefined)),
    'the end of all',
    10_000,
  );

  const postgres = await startPostgres({ dataDir: join(folder, '.data/postgres') });
  const database = new Client({ connectionString: postgres.url });
  await database.connect();
  const { rows: found } = await database.query<{ status: string; n: number }>(
    'SELECT status, count(*)::int AS n FROM deliveries GROUP BY status ORDER BY status',
  );
  const { rows: attempts } = await database.query('SELECT DISTINCT status FROM attempts');
  await database.end();
  await postgres.stop();
  const sent = readJournal(join(folder, 'journal')).length;
  expect(sent).toBeLessThan(LETTERS);
  expect(found).toEqual([
    { status: 'pending', n: LETTERS - sent },
    { status: 'sent', n: sent },
  ]);
  expect(attempts).toEqual([{ status: 'ok' }]);
});
