import { setTimeout as sleep } from 'node:timers/promises';
import { PlannerService } from '../../src/features/runs/planner.service';
import { RunsService } from '../../src/features/runs/runs.service';
import { WebModule } from '../../src/web/web.module';
import { type Person, startApi, type TestApi } from '../support/api';
import { mailingBody, messageBody } from '../support/factories';

/** Nobody gets the letter of one sending twice, whichever of its runs is sent again. No worker runs here. */

let api: TestApi;
beforeAll(async () => {
  api = await startApi({ apiCallsPerMinute: 0 }, [WebModule]);
  await api.database.affected(`INSERT INTO workers (host, pid, version) VALUES ('one', 1, '1')`);
});
afterAll(() => api.close());

let made = 0;

/** A sending to A and B; runs are named by their order, the first is 0. */
class Sending {
  private readonly runs: number[] = [];

  private constructor(
    private readonly owner: Person,
    private readonly emails: string[],
  ) {}

  static async begin(): Promise<Sending> {
    const owner = await api.person();
    const emails = ['a', 'b'].map((name) => `${name}${++made}@resend.example`);
    const sending = new Sending(owner, emails);
    const clientIds: number[] = [];
    for (const email of emails) clientIds.push((await sending.post('/clients', { email, fullName: email })).body.id);
    const messageId = (await sending.post('/messages', messageBody())).body.id;
    const body = mailingBody(messageId, { audience: 'selected', clientIds, period: 'daily', name: 'News' });
    const mailing = (await sending.post('/mailings', body)).body.id;
    await sending.planned((await sending.post(`/mailings/${mailing}/send`)).body.runId as number);
    return sending;
  }

  post(path: string, body?: object) {
    return api.call('POST', `/api/v1${path}`, { token: this.owner.token, ...(body && { body }) });
  }

  /** What came of A and B in a run, which is over then unless somebody waits. */
  async ends(run: number, a: string, b: string): Promise<void> {
    await this.becomes(run, a, b);
    const isOpen = [a, b].some((status) => ['pending', 'sending', 'deferred'].includes(status));
    await this.is(run, isOpen ? 'sending' : 'done');
  }

  async becomes(run: number, a: string, b: string): Promise<void> {
    for (const [i, status] of [a, b].entries())
      await api.database.affected(
        `UPDATE deliveries SET status = $3, attempts = 1,
                claimed_by = CASE WHEN $3 = 'sending' THEN (SELECT max(id) FROM workers) END,
                next_attempt_at = CASE WHEN $3 = 'deferred' THEN now() + interval '3 hours' END
          WHERE run_id = $1 AND email = $2`,
        [this.id(run), this.emails[i], status],
      );
  }

  is(run: number, status: string) {
    return api.database.affected('UPDATE runs SET status = $2 WHERE id = $1', [this.id(run), status]);
  }

  /** Sends again to those who failed in the run; planned, if it is not refused. */
  async again(run: number) {
    const answer = await this.post(`/runs/${this.id(run)}/resend-failed`);
    if (answer.status === 202) await this.planned(answer.body.runId as number);
    return answer;
  }

  /** Who gets the letter by the run: 'a' and 'b'. */
  async receivers(run: number): Promise<string[]> {
    const rows = await api.database.rows<{ email: string }>(
      'SELECT email FROM deliveries WHERE run_id = $1 ORDER BY id',
      [this.id(run)],
    );
    return rows.map(({ email }) => email.slice(0, 1));
  }

  async offered(run: number): Promise<number | null> {
    const runs = api.app.get(RunsService, { strict: false });
    return runs.resendable(await runs.get({ userId: this.owner.id, role: 'user' }, this.id(run)));
  }

  /** Sends the letter to A in this run, whose outcome is unknown, once more. */
  async sendsToA(run: number) {
    return this.post(`/deliveries/${await this.deliveryOfA(run)}/resend`);
  }

  async deliveryOfA(run: number): Promise<number> {
    const found = await api.database.first<{ id: number }>(
      'SELECT id FROM deliveries WHERE run_id = $1 AND email = $2',
      [this.id(run), this.emails[0]],
    );
    return found!.id;
  }

  /** Does `work` while its mailing is being paused, which is committed a little later. */
  async whileBeingPaused<T>(work: () => Promise<T>): Promise<T> {
    let under: Promise<T> | undefined;
    await api.database.transaction(async (tx) => {
      await tx.affected(
        `UPDATE mailings SET status = 'paused' WHERE id = (SELECT mailing_id FROM runs WHERE id = $1)`,
        [this.id(0)],
      );
      under = work();
      await Promise.race([under, sleep(500)]);
    });
    return under!;
  }

  async page(run: number): Promise<string> {
    const { cookie } = await api.signIn(this.owner.email);
    return (await api.call('GET', `/runs/${this.id(run)}`, { cookie })).text;
  }

  id(run: number): number {
    return this.runs[run]!;
  }

  /** A run that was begun and is not planned. */
  add(runId: number): void {
    this.runs.push(runId);
  }

  private async planned(runId: number): Promise<void> {
    this.add(runId);
    await api.app.get(PlannerService, { strict: false }).plan(runId);
  }
}

describe('those who failed', () => {
  it('are not sent to again from an older run while a later one still tries', async () => {
    const sending = await Sending.begin();
    await sending.ends(0, 'failed', 'failed');
    await sending.again(0);
    await sending.ends(1, 'failed', 'failed');
    await sending.again(1);
    await sending.ends(2, 'deferred', 'failed');
    for (const run of [0, 1, 2]) {
      expect(await sending.again(run)).toMatchObject({
        status: 409,
        body: { code: 'RUN_RESENDING', runId: sending.id(2) },
      });
      expect(await sending.offered(run)).toBe(0);
    }
    await sending.is(2, 'cancelled');
    expect(await sending.offered(0)).toBe(1);
    expect((await sending.again(0)).status).toBe(202);
    expect(await sending.receivers(3)).toEqual(['b']);
  });

  it.each(['pending', 'sending', 'deferred', 'sent'])(
    'and are %s by another branch of the sending are left out',
    async (status) => {
      const sending = await Sending.begin();
      await sending.ends(0, 'failed', 'failed');
      await sending.again(0);
      await sending.ends(1, 'failed', 'unknown');
      await sending.again(0);
      await sending.becomes(2, status, 'failed');
      await sending.is(2, 'done');
      expect(await sending.offered(1)).toBe(1);
      expect((await sending.again(1)).status).toBe(202);
      expect(await sending.receivers(3)).toEqual(['b']);
      await sending.ends(3, 'failed', 'sent');
      expect(await sending.offered(1)).toBe(0);
      expect((await sending.again(1)).body.code).toBe('RUN_NOTHING_FAILED');
    },
  );

  it('and wait in the first run, where their letter is sent again by hand, are left out of later ones', async () => {
    const sending = await Sending.begin();
    await sending.ends(0, 'unknown', 'failed');
    await sending.again(0);
    await sending.ends(1, 'failed', 'failed');
    expect((await sending.sendsToA(0)).status).toBe(200);
    expect(await sending.offered(1)).toBe(1);
    expect((await sending.again(1)).status).toBe(202);
    expect(await sending.receivers(2)).toEqual(['b']);
  });

  it('are sent to again by one of two requests at once from different runs', async () => {
    const sending = await Sending.begin();
    await sending.ends(0, 'failed', 'failed');
    await sending.again(0);
    await sending.ends(1, 'failed', 'failed');
    const path = (run: number) => `/runs/${sending.id(run)}/resend-failed`;
    const answers = await Promise.all([0, 1, 0, 1].map((run) => sending.post(path(run))));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409]);
  });
});

describe('while the mailing is being paused', () => {
  it('nobody is sent to again', async () => {
    const sending = await Sending.begin();
    await sending.ends(0, 'failed', 'sent');
    expect(await sending.whileBeingPaused(() => sending.again(0))).toMatchObject({
      status: 409,
      body: { code: 'MAILING_PAUSED' },
    });
  });

  it('a letter that is sent again by hand waits until the mailing is resumed', async () => {
    const sending = await Sending.begin();
    await sending.ends(0, 'unknown', 'sent');
    expect((await sending.whileBeingPaused(() => sending.sendsToA(0))).status).toBe(200);
    expect(
      await api.database.first('SELECT status, paused_at IS NOT NULL AS paused FROM runs WHERE id = $1', [
        sending.id(0),
      ]),
    ).toEqual({ status: 'sending', paused: true });
  });
});

describe('a letter of unknown outcome', () => {
  const button = /href="#resend-\d+"/;

  it.each(['pending', 'sending', 'deferred', 'sent'])(
    'is not sent again to who is %s by another run of the sending, nor is it offered',
    async (status) => {
      const sending = await Sending.begin();
      await sending.ends(0, 'unknown', 'sent');
      await sending.again(0);
      await sending.becomes(1, status, 'sent');
      await sending.is(1, 'done');
      expect(await sending.sendsToA(0)).toMatchObject({ status: 409, body: { code: 'DELIVERY_REPEATED' } });
      expect(await sending.page(0)).not.toMatch(button);
      expect(await sending.page(0)).toContain(`/deliveries/${await sending.deliveryOfA(0)}/mark-sent`);
    },
  );

  it('is not sent again while it is not known yet to whom a later run goes', async () => {
    const sending = await Sending.begin();
    await sending.ends(0, 'unknown', 'sent');
    const { runId } = (await sending.post(`/runs/${sending.id(0)}/resend-failed`)).body;
    sending.add(runId as number);
    expect(await sending.sendsToA(0)).toMatchObject({ status: 409, body: { code: 'RUN_RESENDING', runId } });
  });

  it('is sent again where the later run failed, too, after a question whose answer is “no” at first', async () => {
    const sending = await Sending.begin();
    await sending.ends(0, 'unknown', 'sent');
    await sending.again(0);
    await sending.ends(1, 'failed', 'sent');
    const page = await sending.page(0);
    expect(page).toMatch(button);
    const dialog = new RegExp(`<dialog id="resend-${await sending.deliveryOfA(0)}"[^]*?</dialog>`).exec(page)?.[0];
    expect(dialog).toMatch(/<form method="post" action="\/deliveries\/\d+\/resend"[^]*data-close[^>]*autofocus/);
    expect((await sending.sendsToA(0)).status).toBe(200);
  });
});
