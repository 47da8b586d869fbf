import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CALM, FaultRig, someOf } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';
import { Program } from '../support/program';

jest.setTimeout(900_000);

const letters = (n: number) => Array.from({ length: n }, () => 'ok-');
const long = Boolean(process.env.FAULT_MINUTES);
/** Milliseconds of a process' life: it loads, waits, registers, begins, works. */
const MOMENTS = Array.from({ length: long ? 60 : 12 }, (_, i) => (long ? 50 : 220) * i);

/** Before Node runs the first line of the program nobody can answer a signal: then it ends by the signal itself. */
const clean = ({ ending, log }: Program) => ending === 0 || (ending === 'SIGTERM' && log === '');

describe('SIGTERM at any moment', () => {
  let rig: FaultRig;

  beforeAll(async () => {
    rig = await FaultRig.start();
  });

  afterAll(async () => {
    await rig?.stop();
  });

  /** Stops a process after each of so many milliseconds; by two signals, for whoever stops it may say so twice. */
  async function stopAtEach(begin: () => Promise<Program> | Program): Promise<void> {
    for (const ms of MOMENTS) {
      const program = await begin();
      await sleep(ms);
      program.signal('SIGTERM');
      await sleep(30);
      program.signal('SIGTERM');
      await program.ends();
      expect({
        ms,
        ending: program.ending,
        clean: clean(program),
        log: clean(program) ? '' : program.log,
      }).toMatchObject({
        clean: true,
        log: '',
      });
      expect(program.log.split('\n').filter((line) => /"level":(50|60)/.test(line))).toEqual([]);
    }
  }

  it("a worker's life, with letters to send: exit 0, nothing unknown, nothing held", async () => {
    await rig.reset();
    const env = { ...CALM, SHUTDOWN_MS: '20000', RATE_LIMIT_PER_SECOND: '100' };
    await rig.send(await rig.mailing(letters(3_000)));
    await stopAtEach(() => rig.startWorker(env, false));
    const { sending = 0, unknown = 0 } = await rig.counts();
    expect({ sending, unknown }).toEqual({ sending: 0, unknown: 0 });
    const [left] = await rig.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM deliveries WHERE claimed_by IS NOT NULL',
    );
    expect(left?.n).toBe(0);
    expect(await rig.query('SELECT id FROM workers WHERE stopped_at IS NULL')).toEqual([]);
    await rig.startWorkers(2, CALM);
    await rig.quiet(120_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: false, deliveries: 3_000 });
    rig.note("5 SIGTERM at each moment of a worker's life", measured, MOMENTS.length);
    expect(measured.states).toEqual({ sent: 3_000 });
  });

  it("an API process' life", async () => {
    await rig.reset();
    await stopAtEach(() => rig.beginApi());
  });

  it.each(someOf(['Postgres', 'Redis'], 1))('a process that waits for %s stops at once', async (away) => {
    await rig.reset();
    await (away === 'Redis' ? rig.redis.kill() : rig.postgres.kill());
    for (const begin of [() => rig.startWorker({}, false), () => Promise.resolve(rig.beginApi())]) {
      const program = await begin();
      await program.says(/boot.waiting/);
      program.signal('SIGTERM');
      await program.ends(5_000);
      expect(program.ending).toBe(0);
    }
    await Promise.all([rig.postgres.start(), rig.redis.start()]);
  });

  it.each(someOf(['Postgres', 'Redis'], 1))('a working process that has lost %s stops in time', async (away) => {
    await rig.reset({}, { SHUTDOWN_MS: '4000' });
    const worker = await rig.startWorker({ SHUTDOWN_MS: '4000' });
    await (away === 'Redis' ? rig.redis.kill() : rig.postgres.kill());
    await sleep(1_000);
    for (const program of [worker, rig.api]) {
      program.signal('SIGTERM');
      await program.ends(10_000);
      expect(program.ending).toBe(0);
    }
    await Promise.all([rig.postgres.start(), rig.redis.start()]);
  });

  it('nothing is claimed after the signal, although much waits', async () => {
    await rig.reset();
    const worker = await rig.startWorker({ ...CALM, SHUTDOWN_MS: '20000', RATE_LIMIT_PER_SECOND: '20' });
    await rig.send(await rig.mailing(letters(200)));
    await rig.accepted(10);
    worker.signal('SIGTERM');
    // What was asked for when the signal came may still be granted.
    await sleep(200);
    const [before] = await rig.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM deliveries WHERE attempts > 0 OR status = 'sending'`,
    );
    await worker.ends();
    const [after] = await rig.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM deliveries WHERE attempts > 0 OR status = 'sending'`,
    );
    expect(after?.n).toBe(before?.n);
    expect(worker.ending).toBe(0);
    expect((await rig.counts()).sending).toBeUndefined();
  });

  it('a worker that gives up ends with exit code 1', async () => {
    await rig.reset();
    const deaf = await rig.startWorker({ GONETS_FAILPOINT: 'deaf' });
    await rig.send(await rig.mailing(letters(10)));
    await deaf.ends();
    expect(deaf.ending).toBe(1);
  });

  it.each(['worker', 'api'] as const)('the signal to npm ends the %s cleanly', async (kind) => {
    await rig.reset();
    const logFile = join(tmpdir(), `gonets-npm-${process.pid}-${kind}.log`);
    const npm = Program.start('npm', ['run', `start:${kind}`], { env: { ...process.env, ...rig.env() }, logFile });
    const pid = Number(
      await npm.says(kind === 'worker' ? /"pid":(\d+).*worker.started/ : /"pid":(\d+).*api.started/, 120_000),
    );
    npm.signal('SIGTERM');
    await npm.ends();
    await rig.eventually(() => !alive(pid), 10_000, `the end of process ${pid}`);
    if (kind === 'worker') expect(npm.log).toContain('worker.stopped');
    else expect(npm.log).not.toMatch(/"level":(50|60)/);
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
