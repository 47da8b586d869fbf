import type { INestApplication } from '@nestjs/common';
import { createApi } from '../../../src/api/create-api';
import { loadConfig } from '../../../src/config/config';
import { SchedulerService } from '../../../src/features/scheduling/scheduler.service';
import { TokensService } from '../../../src/features/users/tokens.service';
import { UsersService } from '../../../src/features/users/users.service';
import { setClock } from '../../support/clock';
import { ApiClient, cli, createTestService, type TestService } from '../../support/service';

interface Mailing {
  id: number;
  status: string;
  nextRunAt: string | null;
  timeZone: string;
  warnings?: { field: string; message: string }[];
}
interface Problem {
  code: string;
  errors?: { field: string; message: string }[];
}
interface Items<T> {
  items: T[];
}

let service: TestService;
let app: INestApplication;
let api: ApiClient;
let messageId: number;

beforeAll(async () => {
  service = await createTestService();
  await setClock(service.database.url, '2027-03-26T12:00:00Z');
  app = await createApi(loadConfig({ ...service.env, LOG_LEVEL: 'silent' }));
  await app.listen(0, '127.0.0.1');
  const user = await app.get(UsersService, { strict: false }).create({ email: 'a@example.com', role: 'user' });
  const { token } = await app.get(TokensService, { strict: false }).create(user.id, { name: 'test' });
  api = new ApiClient((await app.getUrl()).replace('[::1]', 'localhost'), token);
  messageId = (await api.post<{ id: number }>('/messages', { subject: 'Hello', body: '<p>Hi</p>' })).body.id;
  for (const n of [1, 2, 3]) await api.post('/clients', { email: `c${n}@example.com`, fullName: 'C' });
});
afterAll(async () => {
  await app.close();
  await service.drop();
});

const good = { audience: 'all', startAt: '2027-03-27T09:00:00+02:00', period: 'daily', timeZone: 'Europe/Athens' };
const create = async (extra: object = {}) =>
  (await api.post<Mailing>('/mailings', { ...good, messageId, ...extra })).body;

describe('what a schedule may be', () => {
  it.each([
    [{ timeZone: 'Mars/Phobos' }, ['timeZone']],
    [{ timeZone: '+03:00' }, ['timeZone']],
    [{ endAt: good.startAt }, ['endAt']],
    [{ endAt: '2027-03-01T00:00:00Z' }, ['endAt']],
    [{ startAt: '27.03.2027 09:00' }, ['startAt']],
    [{ startAt: '2027-03-27' }, ['startAt']],
    [{ startAt: '2027-03-27T09:00:00' }, ['startAt']],
    [{ startAt: '2027-02-30T09:00:00Z' }, ['startAt']],
    [
      { startAt: 'tomorrow', endAt: 'later', period: 'hourly', timeZone: '' },
      ['endAt', 'period', 'startAt', 'timeZone'],
    ],
    [{ startAt: null }, ['startAt']],
    [{ period: null }, ['period']],
  ])('%p is refused by field, when it is made and when it is changed', async (change, fields) => {
    const { id } = await create();
    for (const answer of [
      await api.post<Problem>('/mailings', { ...good, messageId, ...change }),
      await api.patch<Problem>(`/mailings/${id}`, change),
    ]) {
      expect(answer.status).toBe(400);
      expect(answer.body.errors?.map((e) => e.field).sort()).toEqual(fields);
    }
  });

  it('a period longer than the window is taken, with a warning', async () => {
    const mailing = await create({ period: 'monthly', endAt: '2027-04-10T00:00:00Z' });
    expect(mailing.warnings).toEqual([
      {
        field: 'period',
        code: 'only_first',
        values: { period: 'monthly' },
        message: 'only the first monthly sending comes before endAt',
      },
    ]);
    expect((await create()).warnings).toBeUndefined();
  });

  it('a zone is spelled as the IANA database does', async () => {
    expect((await create({ timeZone: 'europe/athens' })).timeZone).toBe('Europe/Athens');
  });
});

describe('the calendar of a mailing', () => {
  it("shows the next occurrences in the mailing's zone with offset, over REST and on the command line", async () => {
    const { id } = await create();
    const expected = [
      { occurrenceAt: '2027-03-27T07:00:00.000Z', local: '2027-03-27T09:00:00+02:00' },
      { occurrenceAt: '2027-03-28T06:00:00.000Z', local: '2027-03-28T09:00:00+03:00' },
    ];
    expect((await api.get(`/mailings/${id}/schedule?count=2`)).body).toEqual({ items: expected });
    expect((await api.get<Items<unknown>>(`/mailings/${id}/schedule`)).body.items).toHaveLength(10);
    const later = await api.get<Items<{ local: string }>>(`/mailings/${id}/schedule?count=1&from=2027-11-01T00:00:00Z`);
    expect(later.body.items).toEqual([
      { occurrenceAt: '2027-11-01T07:00:00.000Z', local: '2027-11-01T09:00:00+02:00' },
    ]);
    for (const query of ['count=0', 'count=201', 'count=x', 'from=yesterday'])
      expect((await api.get(`/mailings/${id}/schedule?${query}`)).status).toBe(400);

    const shown = await cli(service.env, ['schedule', String(id), '--count', '2']);
    expect(shown).toMatchObject({ code: 0, out: '2027-03-27T09:00:00+02:00\n2027-03-28T09:00:00+03:00\n' });
    const json = await cli(service.env, ['schedule', String(id), '--count', '2', '--json']);
    expect(JSON.parse(json.out)).toEqual({ items: expected });
    expect((await cli(service.env, ['schedule', 'abc'])).code).toBe(2);
    expect((await cli(service.env, ['schedule', String(id), '--count', '0'])).code).toBe(2);
    expect((await cli(service.env, ['schedule', '999999'])).code).toBe(1);
  });

  it('shows what was missed, as runs with the reason, and what a pause leaves', async () => {
    await setClock(service.database.url, '2027-03-26T12:00:00Z');
    const { id } = await create();
    expect((await api.post<Mailing>(`/mailings/${id}/start`)).body.nextRunAt).toBe('2027-03-27T07:00:00.000Z');
    await setClock(service.database.url, '2027-03-29T07:00:00Z');
    await app.get(SchedulerService, { strict: false }).tick();
    const runs = await api.get<Items<Record<string, unknown>>>(`/mailings/${id}/runs`);
    expect(
      runs.body.items.map(({ occurrenceAt, status, reason, startedAt }) => [occurrenceAt, status, reason, startedAt]),
    ).toEqual(
      expect.arrayContaining([
        ['2027-03-27T07:00:00.000Z', 'missed', 'down', null],
        ['2027-03-28T06:00:00.000Z', 'missed', 'down', null],
        ['2027-03-29T06:00:00.000Z', 'planning', null, '2027-03-29T07:00:00.000Z'],
      ]),
    );
    expect(runs.body.items).toHaveLength(3);
    expect((await api.post<Mailing>(`/mailings/${id}/pause`)).body.nextRunAt).toBeNull();
    await setClock(service.database.url, '2027-03-30T07:00:00Z');
    expect((await api.post<Mailing>(`/mailings/${id}/resume`)).body.nextRunAt).toBe('2027-03-31T06:00:00.000Z');
    expect((await api.get<Items<{ reason: string }>>(`/mailings/${id}/runs`)).body.items[0]).toMatchObject({
      occurrenceAt: '2027-03-30T06:00:00.000Z',
      status: 'missed',
      reason: 'paused',
    });
  });

  it('run-due is a tick by hand, --dry-run says to whom and when without sending', async () => {
    await setClock(service.database.url, '2027-03-26T12:00:00Z');
    const { id } = await create();
    const dry = async () => {
      const { code, out } = await cli(service.env, ['send-mailing', String(id), '--dry-run', '--json']);
      return { code, ...(JSON.parse(out) as object) };
    };
    expect(await dry()).toMatchObject({
      code: 0,
      mailingId: id,
      status: 'created',
      recipients: 3,
      leftOut: [],
      refusal: null,
    });
    expect((await cli(service.env, ['send-mailing', String(id), '--dry-run'])).out).toContain(
      '2027-03-27T09:00:00+02:00',
    );
    expect((await api.get<Items<unknown>>(`/mailings/${id}/runs`)).body.items).toEqual([]);
    await api.post(`/mailings/${id}/start`);
    await setClock(service.database.url, '2027-03-27T07:00:00Z');
    const due = await cli(service.env, ['run-due', '--json']);
    expect(due.code).toBe(0);
    expect((JSON.parse(due.out) as { runs: number[] }).runs.length).toBeGreaterThan(0);
    const [run] = (await api.get<Items<{ occurrenceAt: string; trigger: string }>>(`/mailings/${id}/runs`)).body.items;
    expect(run).toMatchObject({ occurrenceAt: '2027-03-27T07:00:00.000Z', trigger: 'schedule' });
    expect(await dry()).toMatchObject({ code: 1, refusal: 'MAILING_SENDING' });
  });

  it('says what is wrong with Redis, and what it knows without it', async () => {
    const { code, out, err } = await cli({ ...service.env, REDIS_URL: 'redis://127.0.0.1:1/0' }, ['status']);
    expect(code).toBe(0);
    expect(out).toContain('Ledger:');
    expect(out).toContain('delivery: Redis cannot be reached');
    expect(err).toContain('connection refused');
  });
});
