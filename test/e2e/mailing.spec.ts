import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Program } from '../support/program';
import { readJournal } from '../support/smtp-server';
import { type SmtpServerProcess, startSmtpServerProcess } from '../support/smtp-server-process';
import {
  ApiClient,
  cli,
  createTestService,
  createUser,
  eventually,
  startProcess,
  type TestService,
} from '../support/service';

/** The whole way as an operator and a program go it: real processes, Postgres, Redis, SMTP. */

interface Run {
  id: number;
  status: string;
  counts: Record<string, number>;
}

let service: TestService;
let folder: string;
let smtp: SmtpServerProcess;
let processes: Program[] = [];
let api: ApiClient;
let user: { id: number; token: string };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gonets-e2e-'));
  smtp = await startSmtpServerProcess({ journal: join(folder, 'journal') });
  service = await createTestService({ SMTP_URL: `smtp://127.0.0.1:${smtp.port}` });
  processes = await Promise.all([
    startProcess('api', service.env),
    startProcess('worker', service.env),
    startProcess('worker', service.env),
  ]);
  const { url } = (await processes[0]!.said('api.started')) as { url: string };
  user = await createUser(service.env, 'owner@example.com');
  api = new ApiClient(url.replace('[::1]', 'localhost'), user.token);
});

afterAll(async () => {
  const codes = await Promise.all(processes.map((process) => process.stop()));
  await smtp.kill();
  rmSync(folder, { recursive: true });
  await service.drop();
  expect(codes).toEqual([0, 0, 0]);
});

const done = (runId: number): Promise<Run> =>
  eventually(async () => {
    const { body } = await api.get<Run>(`/runs/${runId}`);
    return body.status === 'done' && body;
  }, `run ${runId} done`);

async function createMailing(extra: object = {}): Promise<number> {
  const message = await api.post<{ id: number }>('/messages', {
    subject: 'For {{ client.fullName }}',
    body: '<p>Dear {{ client.fullName }}, this goes to {{ client.email }}.</p>',
  });
  const mailing = await api.post<{ id: number }>('/mailings', {
    messageId: message.body.id,
    audience: 'all',
    startAt: new Date().toISOString(),
    period: 'once',
    ...extra,
  });
  expect(mailing.status).toBe(201);
  return mailing.body.id;
}

it('sends one letter to each client, records every attempt, and both workers have a share', async () => {
  const rows = Array.from({ length: 300 }, (_, i) => {
    const local = i % 50 === 7 ? `fail552.5.2.2-${i}` : i % 40 === 3 ? `defer1-${i}` : `ok-${i}`;
    return `${local}@example.com,"Имя, №${i}",`;
  });
  const begun = await api.post<{ importId: number }>(
    '/clients/import',
    `email,full_name,comment\n${rows.join('\n')}\n`,
    {
      'content-type': 'text/csv',
    },
  );
  expect(begun.status).toBe(202);
  const imported = await eventually(async () => {
    const { body } = await api.get<{ status: string; added: number; rejected: number }>(
      `/imports/${begun.body.importId}`,
    );
    return body.status === 'done' && body;
  }, 'import');
  expect(imported).toMatchObject({ added: 300, rejected: 0 });

  const mailingId = await createMailing();
  const starts = await Promise.all([
    api.post<{ runId: number }>(`/mailings/${mailingId}/send`, undefined, { 'idempotency-key': 'same' }),
    api.post<{ runId: number }>(`/mailings/${mailingId}/send`, undefined, { 'idempotency-key': 'same' }),
    api.post<{ runId: number; code: string }>(`/mailings/${mailingId}/send`),
  ]);
  const runIds = new Set(starts.map((answer) => answer.body.runId));
  expect(runIds.size).toBe(1);
  const [runId] = [...runIds] as [number];

  const run = await done(runId);
  expect(run.counts).toMatchObject({
    total: 300,
    sent: 294,
    failed: 6,
    pending: 0,
    sending: 0,
    deferred: 0,
    unknown: 0,
  });

  const journal = readJournal(join(folder, 'journal'));
  const accepted = journal.filter((entry) => entry.verdict === 'accepted');
  expect(accepted).toHaveLength(294);
  expect(new Set(accepted.map((entry) => entry.rcpt)).size).toBe(294);
  expect(new Set(accepted.map((entry) => entry.messageId)).size).toBe(294);

  const db = new Client({ connectionString: service.database.url });
  await db.connect();
  const { rows: byWorker } = await db.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM attempts GROUP BY worker_id',
  );
  const { rows: total } = await db.query<{ n: number }>('SELECT count(*)::int AS n FROM attempts');
  await db.end();
  expect(byWorker).toHaveLength(2);
  expect(total[0]?.n).toBe(journal.length);

  const failed = await api.get<{ items: { status: string; lastResponse: string; reason: string; tries: number }[] }>(
    `/runs/${runId}/deliveries?status=failed`,
  );
  expect(failed.body.items).toHaveLength(6);
  expect(failed.body.items[0]).toMatchObject({ status: 'failed', reason: 'mailbox_full', tries: 1 });
  expect(failed.body.items[0]?.lastResponse).toContain('552');
  const { queues } = JSON.parse((await cli(service.env, ['status', '--json'])).out) as {
    queues: { delivery: Record<string, number> };
  };
  expect(queues.delivery).toMatchObject({ waiting: 0, active: 0, completed: 0, failed: 6 });
  const mailing = await eventually(async () => {
    const { body } = await api.get<{ status: string }>(`/mailings/${mailingId}`);
    return body.status === 'done' && body;
  }, 'once mailing done');
  expect(mailing.status).toBe('done');
  const statistics = await api.get('/statistics');
  expect(statistics.body).toMatchObject({
    mailings: 1,
    activeMailings: 0,
    uniqueRecipients: 300,
    attempts: { ok: 294, failed: total[0]!.n - 294 },
  });
});

describe('send-mailing', () => {
  const send = (...args: string[]) => cli(service.env, ['send-mailing', ...args]);

  it('refuses with one line and exit code 1 what can not be sent, and starts nothing', async () => {
    const other = await createUser(service.env, 'nobody@example.com');
    const otherApi = new ApiClient(
      processes[0]!.lines
        .join('\n')
        .match(/"url":"([^"]+)"/)![1]!
        .replace('[::1]', 'localhost'),
      other.token,
    );
    const message = await otherApi.post<{ id: number }>('/messages', { subject: 's', body: 'b' });
    const empty = await otherApi.post<{ id: number }>('/mailings', {
      messageId: message.body.id,
      audience: 'all',
      startAt: new Date().toISOString(),
      period: 'once',
    });
    const finished = await createMailing();
    await api.post(`/mailings/${finished}/finish`);
    for (const [id, words] of [
      ['999999', 'does not exist'],
      [String(empty.body.id), 'no recipients'],
      [String(finished), 'is done'],
    ] as const) {
      const result = await send(id);
      expect({ id, code: result.code, out: result.out, lines: result.err.trim().split('\n').length }).toEqual({
        id,
        code: 1,
        out: '',
        lines: 1,
      });
      expect(result.err).toContain(words);
    }
    const runs = await api.get<{ items: unknown[] }>(`/mailings/${finished}/runs`);
    expect(runs.body.items).toEqual([]);
  });

  it('says in one line that the database is down', async () => {
    const result = await cli({ ...service.env, DATABASE_URL: 'postgres://nobody@127.0.0.1:9/none' }, [
      'send-mailing',
      '1',
    ]);
    expect(result.code).toBe(1);
    expect(result.err.trim().split('\n')).toHaveLength(1);
    expect(result.err).toContain('Postgres');
  });

  it.each([['abc'], [], ['1', '--no-such-option']])('shows the usage and exits with 2 for %s', async (...args) => {
    const result = await send(...args);
    expect(result.code).toBe(2);
    expect(result.err).toContain('Usage: gonets send-mailing');
  });

  it('waits for the end and exits with 1 if anybody failed; --failed-only sends to those again', async () => {
    const mailingId = await createMailing();
    const dry = await send(String(mailingId), '--dry-run', '--json');
    expect(JSON.parse(dry.out)).toMatchObject({ recipients: 300, refusal: null });
    const first = await send(String(mailingId), '--wait', '--json');
    expect(first.code).toBe(1);
    const answer = JSON.parse(first.out) as Run;
    expect(answer).toMatchObject({ status: 'done', counts: { total: 300, sent: 294, failed: 6 } });
    const again = await send(String(mailingId), '--failed-only', '--wait', '--json');
    expect(JSON.parse(again.out)).toMatchObject({ status: 'done', counts: { total: 6, failed: 6 } });
  });
});

it('imports a file by command and rejects nothing of the demo', async () => {
  await createUser(service.env, 'importer@example.com');
  const file = join(__dirname, '../../demo/clients.csv');
  const result = await cli(service.env, ['import-clients', file, '--owner', 'importer@example.com', '--json']);
  expect(JSON.parse(result.out)).toMatchObject({ status: 'done', rows: 1000, added: 1000, rejected: 0 });
  expect(result.code).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain('email,full_name,comment');
});
