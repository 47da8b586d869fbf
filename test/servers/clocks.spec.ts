import { existsSync, mkdtempSync, chmodSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultRig } from '../support/fault-rig';
import { checkInvariants } from '../support/invariants';
import type { Program } from '../support/program';

jest.setTimeout(900_000);

const LIBRARY = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map((machine) => `/usr/lib/${machine}/faketime/libfaketimeMT.so.1`)
  .find(existsSync);
const HOUR = 3_600_000;
const hours = (offset: string) => Number(offset.replace('h', '')) * HOUR;
const letters = (n: number) => Array.from({ length: n }, () => 'ok-');

/** A machine's clock that can be put forward and back while processes live; what measures time spans runs on. */
class MachineClock {
  private readonly folder = mkdtempSync(join(tmpdir(), 'gonets-clock-'));
  private readonly file = join(this.folder, 'offset');

  constructor(offset: string) {
    chmodSync(this.folder, 0o755);
    this.set(offset);
  }

  /** As in `+2h`, `-1h`, `+0`. */
  set(offset: string): void {
    writeFileSync(this.file, `${offset}\n`, { mode: 0o644 });
  }

  get env(): Record<string, string> {
    if (!LIBRARY) throw new Error("Install Debian's package libfaketime.");
    return {
      LD_PRELOAD: LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_RESET: '1',
      DONT_FAKE_MONOTONIC: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe('clocks of machines', () => {
  let rig: FaultRig;
  let clock: MachineClock;
  const database = new MachineClock('+0');
  let ordered = 0;

  beforeAll(async () => {
    rig = await FaultRig.start({ postgresEnv: database.env });
  });

  afterAll(async () => {
    await rig?.stop();
    database.remove();
  });

  beforeEach(async () => {
    database.set('+0');
    clock = new MachineClock('+0');
    ordered = 0;
    await rig.reset();
  });

  afterEach(() => clock.remove());

  /** The calendar begins a mailing that is due, and its letters go out. */
  async function ticksAndSends(what: string): Promise<void> {
    const id = await rig.mailing(letters(5));
    ordered += 5;
    await rig.query(`UPDATE mailings SET status = 'started', next_run_at = start_at WHERE id = $1`, [id]);
    await rig.eventually(
      async () => {
        const [row] = await rig.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM deliveries d JOIN runs r ON r.id = d.run_id WHERE r.mailing_id = $1 AND d.status = 'sent'`,
          [id],
        );
        return row?.n === 5;
      },
      30_000,
      `a due mailing (${what})`,
    );
  }

  /** A worker dies in the middle of its work; the others take over what it held. */
  async function dies(worker: Program): Promise<void> {
    const before = (await rig.smtp.stats()).accepted;
    await rig.send(await rig.mailing(letters(150)));
    ordered += 150;
    await rig.accepted(before + 20);
    await worker.kill();
    await rig.quiet(60_000);
  }

  async function nothingLost(killedWorkers: number): Promise<void> {
    await rig.quiet(60_000);
    const measured = await checkInvariants(rig, { deathsAfterDot: true, deliveries: ordered, killedWorkers });
    expect(measured.states).toEqual({ sent: ordered });
  }

  const SLOW = { RATE_LIMIT_PER_SECOND: '60' };

  it.each(['+2h', '-2h'])(
    'a node %s from the others: ticks, sweeps and letters go on, whoever dies',
    async (offset) => {
      clock.set(offset);
      const wrong = { ...SLOW, ...clock.env };
      const alone = await rig.startWorker(wrong);
      const shows = Number(/"time":(\d+)/.exec(alone.log)?.[1]) - Date.now();
      expect(Math.abs(shows - hours(offset)) / HOUR).toBeLessThan(0.1);
      await ticksAndSends('the wrong clock alone');
      const right = await rig.startWorker(SLOW);
      await dies(alone);
      await ticksAndSends('after the death of the wrong one');
      const again = await rig.startWorker(wrong);
      await dies(right);
      await ticksAndSends('after the death of the right one');
      expect(again.alive).toBe(true);
      await again.kill();
      await rig.startWorker(SLOW);
      await ticksAndSends('after all died');
      await nothingLost(3);
    },
  );

  it("a node's clock is put back by an hour, and forward by two, while it works", async () => {
    const env = { ...SLOW, ...clock.env };
    const [first] = await rig.startWorkers(2, env);
    await ticksAndSends('before');
    await rig.send(await rig.mailing(letters(150)));
    ordered += 150;
    clock.set('-1h');
    await rig.quiet(60_000);
    await ticksAndSends('after the step back');
    clock.set('+2h');
    await dies(first as Program);
    await ticksAndSends('after the step forward and a death');
    clock.set('+0');
    await ticksAndSends('after it was put right');
    await nothingLost(1);
  });

  it.each(['-1h', '+2h', '-2h'])("the database's clock is put by %s while workers live", async (offset) => {
    const [first] = await rig.startWorkers(2, SLOW);
    await ticksAndSends('before');
    // What waits for a moment that the step moves away.
    await rig.smtp.behave({ refuseConnections: true });
    await rig.smtp.dropConnections();
    await rig.send(await rig.mailing(letters(20)));
    ordered += 20;
    await rig.eventually(async () => (await rig.call<{ state: string }>('GET', '/transport')).body.state === 'waiting');
    database.set(offset);
    const [row] = await rig.query<{ now: Date }>('SELECT clock_timestamp() AS now');
    expect(Math.abs(Number(row?.now) - Date.now() - hours(offset)) / HOUR).toBeLessThan(0.1);
    await rig.smtp.behave({ refuseConnections: false });
    await rig.quiet(60_000);
    await ticksAndSends('after the step');
    await dies(first as Program);
    await rig.startWorker(SLOW);
    await ticksAndSends('after a death and a start');
    database.set('+0');
    await sleep(1_000);
    await ticksAndSends('after it was put right');
    await nothingLost(1);
    for (const worker of rig.workers) expect(worker.log).not.toContain('worker.fenced');
  });
});
