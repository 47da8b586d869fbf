import { CALM, FaultRig } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';

jest.setTimeout(600_000);

const long = Boolean(process.env.FAULT_MINUTES);
const letters = (n: number, local = 'ok-') => Array.from({ length: n }, () => local);

describe('what mail servers and people do', () => {
  let rig: FaultRig;

  beforeAll(async () => {
    rig = await FaultRig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  it('8: a third 4xx, a tenth 5xx, replies lost, connections dropped at every verb', async () => {
    await rig.reset();
    const trouble = [
      ...letters(30, 'defer1-'),
      ...letters(20, 'defer2-dot-'),
      ...letters(10, 'fail550-'),
      ...letters(8, 'fail554-dot-'),
      ...letters(3, 'accept-then-drop1-'),
      ...letters(3, 'accept-then-half-close1-'),
      ...letters(3, 'accept-then-garbage1-'),
      ...[
        'drop1-',
        'drop1-data-',
        'drop1-before-dot-',
        'drop1-dot-',
        'bye1-',
        'bye1-data-',
        'half-close1-',
        'garbage1-',
      ],
    ];
    const all = Array.from({ length: long ? 20 : 2 }, () => [...trouble, ...letters(90)]).flat();
    for (let i = all.length - 1; i > 0; i--) {
      const j = rig.below(i + 1);
      [all[i], all[j]] = [all[j] ?? '', all[i] ?? ''];
    }
    await rig.startWorkers(2);
    await rig.send(await rig.mailing(all));
    await rig.quiet(60_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: all.length });
    rig.note('8 4xx, 5xx, lost replies, connections dropped at every verb', measured, 0);
    const bad = all.filter((local) => local.startsWith('fail')).length;
    expect(measured.states).toEqual({ sent: all.length - bad, failed: bad });
    expect(measured.extraCopies).toBe(all.filter((local) => local.startsWith('accept-then')).length);
  });

  it('9: login refused from some letter on: nobody fails, the account is parked at the second try, an admin resumes it', async () => {
    await rig.reset({ behaviour: { refuseLoginAfter: 100 } });
    await rig.startWorkers(2, { RATE_LIMIT_PER_SECOND: '150' });
    await rig.send(await rig.mailing(letters(300)));
    await rig.accepted(110);
    await rig.smtp.dropConnections();
    await rig.eventually(async () => (await rig.call<{ state: string }>('GET', '/transport')).body.state === 'parked');
    await rig.eventually(async () => !(await rig.counts()).sending);
    const counts = await rig.counts();
    expect(counts.failed).toBeUndefined();
    const [events] = await rig.query<{ events: string[] }>(
      `SELECT array_agg(event || ' ' || coalesce(reason, '') ORDER BY id) AS events FROM account_log WHERE event <> 'settings_changed'`,
    );
    // Of the dropped connections the log may tell, too, and of the replies that were lost with them.
    expect(events?.events.filter((event) => !/connection_broken|replies_lost/.test(event))).toEqual([
      'waiting auth_refused',
      'parked auth_refused',
    ]);
    const tried = (await rig.smtp.stats()).logins;
    await rig.smtp.behave({ refuseLoginAfter: null });
    expect((await rig.call('GET', '/transport')).body).toMatchObject({ state: 'parked', reason: 'auth_refused' });
    expect((await rig.smtp.stats()).logins).toBe(tried);
    expect((await rig.call('POST', '/transport/resume')).status).toBeLessThan(300);
    await rig.quiet(20_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: 300 });
    rig.note('9 login refused from letter 100 on', measured, 0);
    expect(measured.states).toEqual({ sent: 300 });
  });

  it('9: a refused sender pauses the mailing with its reason; again and again, and still nobody fails', async () => {
    const refusal = { at: { mail: { do: 'reply' as const, text: '550 5.7.1 sender refused' } } };
    await rig.reset({ behaviour: refusal });
    await rig.startWorkers(2, CALM);
    const mailing = await rig.mailing(letters(60));
    const runId = await rig.send(mailing);
    for (let again = 0; again < 3; again++) {
      await rig.eventually(async () => {
        expect(await rig.counts(runId)).not.toHaveProperty('failed');
        return (await rig.call<{ status: string }>('GET', `/mailings/${mailing}`)).body.status === 'paused';
      });
      await rig.eventually(async () => (await rig.counts(runId)).pending === 60);
      expect((await rig.call('GET', `/mailings/${mailing}`)).body).toMatchObject({
        statusReason: { code: 'sender_refused' },
      });
      if (again === 2) await rig.smtp.behave({ at: {} });
      expect((await rig.call('POST', `/mailings/${mailing}/resume`)).status).toBe(200);
    }
    await rig.quiet(20_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 60 });
    rig.note('9 sender refused', measured, 0);
    expect(measured.states).toEqual({ sent: 60 });
  });

  it('11: pause and resume 50 times, edit and delete while sending', async () => {
    // One is put off until the end, so that the run lasts as long as the pauses do, however slow they are.
    const later = { step: 'rcpt' as const, do: 'reply' as const, text: '450 4.2.1 not now' };
    await rig.reset({ behaviour: { recipients: { 'ok-1-1@client.example': later } } });
    const retry = Array<string>(1_000).fill('500').join(',');
    await rig.startWorkers(2, { ...CALM, RATE_LIMIT_PER_SECOND: '40', RETRY_DELAYS_MS: retry });
    const mailing = await rig.mailing(letters(400));
    const runId = await rig.send(mailing);
    await rig.accepted(1);
    let deleted = 0;
    for (let i = 0; i < 50; i++) {
      expect((await rig.call('POST', `/mailings/${mailing}/pause`)).status).toBe(200);
      if (i % 10 === 0) {
        await rig.eventually(async () => !(await rig.counts()).sending);
        const before = await rig.smtp.stats();
        await new Promise((resolve) => setTimeout(resolve, 250));
        expect(await rig.smtp.stats()).toMatchObject({ transactions: before.transactions });
        expect((await rig.call('DELETE', `/clients/${400 - i}`)).status).toBe(204);
        deleted++;
        expect((await rig.call('PATCH', '/messages/1', { subject: `Later ${i}` })).status).toBe(200);
        expect((await rig.call('DELETE', `/mailings/${mailing}`)).status).toBe(409);
      }
      expect((await rig.call('POST', `/mailings/${mailing}/resume`)).status).toBe(200);
      await new Promise((resolve) => setTimeout(resolve, rig.below(60)));
    }
    expect((await rig.call('GET', `/runs/${runId}`)).body).toMatchObject({ status: 'sending' });
    await rig.smtp.behave({ recipients: {} });
    await rig.quiet(20_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 400 });
    rig.note('11 pause and resume 50 times, edit, delete', measured, 0);
    expect(measured.states.sent).toBeGreaterThanOrEqual(400 - deleted);
    expect((measured.states.sent ?? 0) + (measured.states.skipped ?? 0)).toBe(400);
  });

  it('ten letters do not wait behind a big mailing, and Redis never holds more than QUEUE_WINDOW jobs', async () => {
    await rig.reset();
    await rig.startWorkers(2, { ...CALM, RATE_LIMIT_PER_SECOND: '50', QUEUE_WINDOW: '120', WORKER_CONCURRENCY: '30' });
    const big = await rig.send(await rig.mailing(letters(400)));
    await rig.accepted(30);
    const small = await rig.mailing(letters(10), { owner: 2 });
    const sent = await rig.callOther<{ runId: number }>('POST', `/mailings/${small}/send`);
    expect(sent.status).toBe(202);
    const startedAt = performance.now();
    let most = 0;
    await rig.eventually(async () => {
      most = Math.max(most, await rig.jobs());
      return (await rig.counts(sent.body.runId)).sent === 10;
    });
    expect(performance.now() - startedAt).toBeLessThan(7_000);
    expect((await rig.counts(big)).pending).toBeGreaterThan(0);
    expect(most).toBeGreaterThan(60);
    expect(most).toBeLessThanOrEqual(120);
    await rig.quiet(20_000);
    await checkInvariants(rig, { deathsAfterDot: false, deliveries: 410 });
  });

  it('letters whose connection broke come back at once, and Redis never holds more than QUEUE_WINDOW jobs', async () => {
    await rig.reset();
    await rig.startWorkers(2, { ...CALM, SWEEP_INTERVAL_MS: '600000', QUEUE_WINDOW: '100' });
    await rig.send(await rig.mailing([...letters(150, 'drop1-'), ...letters(150)]));
    let most = 0;
    await rig.eventually(async () => {
      most = Math.max(most, await rig.jobs());
      return (await rig.counts()).sent === 300;
    });
    expect(most).toBeLessThanOrEqual(100);
    await rig.quiet(20_000);
    await checkInvariants(rig, { deathsAfterDot: false, deliveries: 300 });
  });

  it('letters that are deferred for long hold up nobody, and finish ends them', async () => {
    await rig.reset();
    await rig.startWorker({ ...CALM, RETRY_DELAYS_MS: '600000,600000' });
    const mailing = await rig.mailing([...letters(60, 'defer-'), ...letters(140)]);
    const runId = await rig.send(mailing);
    await rig.eventually(async () => (await rig.counts(runId)).sent === 140, 8_000);
    expect(await rig.counts(runId)).toEqual({ sent: 140, deferred: 60 });
    expect((await rig.call('POST', `/mailings/${mailing}/finish`)).status).toBe(200);
    await rig.quiet(5_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 200 });
    expect(measured.states).toEqual({ sent: 140, cancelled: 60 });
  });

  it('resend-failed reaches those who failed, and nobody else, also when the mailing is done', async () => {
    const failing = [1, 2, 3, 4, 5].map((n) => `ok-${n}-1@client.example`);
    const refuse = { step: 'rcpt' as const, do: 'reply' as const, text: '552 5.2.2 mailbox full' };
    await rig.reset({ behaviour: { recipients: Object.fromEntries(failing.map((address) => [address, refuse])) } });
    await rig.startWorker(CALM);
    const mailing = await rig.mailing(letters(20));
    const runId = await rig.send(mailing);
    await rig.quiet(10_000);
    expect(await rig.counts(runId)).toEqual({ sent: 15, failed: 5 });
    await rig.smtp.behave({ recipients: {} });
    const again = await rig.call<{ runId: number }>('POST', `/runs/${runId}/resend-failed`);
    expect(again.status).toBe(202);
    await rig.quiet(10_000);
    expect(await rig.counts(again.body.runId)).toEqual({ sent: 5 });
    await checkInvariants(rig, { deathsAfterDot: false, deliveries: 25 });
    const status = async () => (await rig.call<{ status: string }>('GET', `/mailings/${mailing}`)).body.status;
    await rig.eventually(async () => (await status()) === 'done', 20_000, 'the mailing is done');
  });
});
