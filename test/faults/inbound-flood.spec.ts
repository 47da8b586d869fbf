import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LinkKey } from '../../src/domain/address-token';
import { returnTokenWriter } from '../../src/domain/bounce-address';
import { FaultRig } from '../support/fault-rig';
import { dsn } from '../support/inbound-letters';
import type { Program } from '../support/program';
import { freePort } from '../../tools/embedded/index.mjs';
import { SmtpClient } from '../support/smtp-client';

/**
 * Very many letters come back by SMTP at once, while processes are killed, Redis loses everything, and somebody sends what
 * is meant to hold the service up: none is lost, none counts twice, and memory stays bounded.
 */

jest.setTimeout(1_800_000);

const long = Boolean(process.env.FAULT_MINUTES);
const REPORTS = long ? 10_000 : 400;
/** One address has five of the listener's twenty. */
const CALLERS = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4'];
const EACH = 5;
const HOSTILE = '127.0.0.9';
/** At its start the API has some 230 MB, and its young generation may take 72. What is sent to it is 1 GB. */
const RSS_MAX_MB = 310;

let rig: FaultRig;
let port: number;
let settings: Record<string, string>;

beforeAll(async () => {
  rig = await FaultRig.start();
  port = await freePort();
  settings = {
    BOUNCE_ADDRESS: 'b@news.example.org',
    INBOUND_LISTEN: `127.0.0.1:${port}`,
    DATABASE_CONNECTIONS: '10',
    // As `npm start` and the image run it: without limits memory grows to what the machine has.
    NODE_OPTIONS: '--max-semi-space-size=24 --max-old-space-size=768',
  };
});
afterAll(() => rig?.stop());

interface Letter {
  id: number;
  email: string;
}

/** Letters of one run that were sent, of whom the last is for those who mean harm. */
async function sent(): Promise<Letter[]> {
  await rig.reset({}, settings);
  const domains = 40;
  const mailingId = await rig.mailing(['ok-']);
  const runId = await rig.send(mailingId);
  await rig.query(
    `WITH added AS (
       INSERT INTO clients (owner_id, email, full_name)
       SELECT 1, 'r' || n || '@d' || n % ${domains} || '.example', 'R' FROM generate_series(1, $2) n RETURNING id, email)
     INSERT INTO deliveries (run_id, client_id, email, status, attempts) SELECT $1, id, email, 'sent', 1 FROM added`,
    [runId, REPORTS + 1],
  );
  await rig.query(`UPDATE runs SET status = 'done' WHERE id = $1`, [runId]);
  const rows = await rig.query<{ id: string; email: string }>(
    'SELECT id, email FROM deliveries WHERE run_id = $1 ORDER BY id',
    [runId],
  );
  return rows.map(({ id, email }) => ({ id: Number(id), email }));
}

class Flood {
  acknowledged = 0;
  /** Letters that were sent once more although they had been acknowledged, as when a reply is lost. */
  repeated = 0;
  refused = 0;
  lost = 0;
  /** The most that each process of the product has had. */
  peakMb: Record<string, number> = {};
  hostile: Record<string, number> = {};
  private next = 0;
  private allowed = 0;
  private isOver = false;

  constructor(
    private readonly letters: Letter[],
    private readonly bounceOf: (id: number) => string,
  ) {}

  async run(faults: (flood: Flood) => Promise<void>): Promise<void> {
    const others = [this.slow(), this.slow(), this.nested(), this.longLine(), this.memory()];
    // They are there first, and the others come in beside them.
    while (Object.keys(this.hostile).length < 3) await sleep(20);
    const callers = CALLERS.flatMap((caller) => Array.from({ length: EACH }, () => this.caller(caller)));
    await Promise.all([faults(this), Promise.all(callers).finally(() => (this.isOver = true))]);
    await Promise.all(others);
  }

  /** Lets so many of all be sent, and returns when half of the further ones are acknowledged: the others are under way. */
  async upTo(share: number): Promise<void> {
    const before = this.allowed;
    this.allowed = Math.round(REPORTS * share);
    while (this.acknowledged < (before + this.allowed) / 2) await sleep(5);
  }

  /** Sends one report after the other, each until it is acknowledged. */
  private async caller(from: string): Promise<void> {
    let client: SmtpClient | null = null;
    while (this.next < REPORTS) {
      if (this.next >= this.allowed) {
        await sleep(5);
        continue;
      }
      const i = this.next++;
      const times = i % 20 === 0 ? 2 : 1;
      for (let done = 0; done < times;) {
        client ??= await this.connected(from);
        const answer = client ? await client.letter(this.report(i), this.bounceOf(this.letters[i]!.id)) : 'closed';
        if (answer.startsWith('250')) done++;
        else {
          if (answer === 'closed') this.lost++;
          else this.refused++;
          client?.socket.destroy();
          client = null;
          await sleep(50);
        }
      }
      this.acknowledged++;
      this.repeated += times - 1;
    }
    client?.socket.destroy();
  }

  private report(i: number): string {
    const { email } = this.letters[i]!;
    return dsn({ final: `rfc822; ${email}`, status: i % 2 === 0 ? '5.1.1' : '4.4.1', text: `Report ${i}` })
      .toString('latin1')
      .trimEnd();
  }

  private async connected(from: string): Promise<SmtpClient | null> {
    const client = await SmtpClient.open(port, from);
    const isOpen = (await client.send('NOOP')).startsWith('250');
    if (!isOpen) client.socket.destroy();
    return isOpen ? client : null;
  }

  /** A letter that comes one byte at a time. */
  private async slow(): Promise<void> {
    while (!this.isOver) {
      const client = await this.connected(HOSTILE);
      if (client) {
        await client.send('MAIL FROM:<>');
        await client.send(`RCPT TO:<${this.bounceOf(this.letters.at(-1)!.id)}>`);
        await client.send('DATA');
        this.count('slow');
        while (!this.isOver && !client.socket.destroyed) {
          client.socket.write('x');
          await sleep(500);
        }
        client.socket.destroy();
      }
      await sleep(200);
    }
  }

  /** 60 levels of parts. */
  private async nested(): Promise<void> {
    const boundary = (n: number) => `b${n}`;
    let text = 'Content-Type: text/plain\r\n\r\nx';
    for (let n = 60; n > 0; n--) {
      const type = n % 2 ? `multipart/mixed; boundary=${boundary(n)}` : `multipart/report; boundary=${boundary(n)}`;
      text = `Content-Type: ${type}\r\n\r\n--${boundary(n)}\r\n${text}\r\n--${boundary(n)}--`;
    }
    await this.hostilely('nested', (n) => `Subject: ${n}\r\n${text}`);
  }

  /** A header line of 10 MB. */
  private longLine(): Promise<void> {
    const line = `X-Long: ${'x'.repeat(10_000_000)}`;
    return this.hostilely('long line', (n) => `Subject: ${n}\r\n${line}\r\n\r\nx`);
  }

  /** By one connection, which is given up to nobody. */
  private async hostilely(what: string, text: (n: number) => string): Promise<void> {
    let client: SmtpClient | null = null;
    for (let n = 0; !this.isOver; n++) {
      client ??= await this.connected(HOSTILE);
      if (client) {
        const answer = await client.letter(text(n), this.bounceOf(this.letters.at(-1)!.id));
        this.count(`${what} ${answer.slice(0, 3)}`);
        if (!/^[25]/.test(answer)) {
          client.socket.destroy();
          client = null;
        }
      }
      await sleep(300);
    }
    client?.socket.destroy();
  }

  private count(what: string): void {
    this.hostile[what] = (this.hostile[what] ?? 0) + 1;
  }

  /** The most that any process of the product has had. */
  private async memory(): Promise<void> {
    while (!this.isOver) {
      for (const { name, pid } of [rig.api, ...rig.workers])
        this.peakMb[name] = Math.max(this.peakMb[name] ?? 0, rssMb(pid));
      await sleep(100);
    }
  }
}

/** What a process has in memory, or (`VmHWM`) the most that it ever had, in MB. */
function rssMb(pid: number, what: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

test(`${REPORTS} reports by 20 connections, while workers and the API are killed and Redis is emptied`, async () => {
  const letters = await sent();
  const [key] = await rig.query<LinkKey>('SELECT id, secret FROM link_keys ORDER BY id DESC LIMIT 1');
  const tokensOf = returnTokenWriter(key!);
  const flood = new Flood(letters, (id) => `b+${tokensOf(id).bounce}@news.example.org`);
  const workers: Program[] = await rig.startWorkers(2, settings);
  const before = {
    api: rssMb(rig.api.pid),
    apiAtItsStart: rssMb(rig.api.pid, 'VmHWM'),
    worker: rssMb(workers[0]!.pid),
  };
  const since = performance.now();
  await flood.run(async () => {
    await flood.upTo(0.25);
    await workers[0]!.kill('SIGKILL');
    await flood.upTo(0.5);
    await rig.flushRedis();
    await rig.startWorker(settings);
    await flood.upTo(0.75);
    // Kills the one that listens.
    await rig.startApi(settings);
    await flood.upTo(1);
    await Promise.all([workers[1]!.kill('SIGKILL'), rig.flushRedis()]);
    await rig.startWorker(settings);
  });
  const takenS = (performance.now() - since) / 1000;
  await rig.eventually(
    async () => (await rig.query('SELECT FROM inbound_letters WHERE judged_at IS NULL LIMIT 1')).length === 0,
    long ? 300_000 : 60_000,
    'judging',
  );
  const judgedS = (performance.now() - since) / 1000;

  const ids = letters.slice(0, REPORTS).map(({ id }) => id);
  const [events] = await rig.query<{ n: number; letters: number; hard: number }>(
    `SELECT count(*)::int AS n, count(DISTINCT delivery_id)::int AS letters,
            count(*) FILTER (WHERE kind = 'bounced')::int AS hard
       FROM delivery_events WHERE delivery_id = ANY($1::bigint[])`,
    [ids],
  );
  const [kept] = await rig.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM inbound_letters WHERE delivery_id = ANY($1::bigint[]) AND kind IN ('hard', 'soft')`,
    [ids],
  );
  const [run] = await rig.query<{ bounced: number; soft: number }>(
    'SELECT sum(bounced)::int AS bounced, sum(soft_bounced)::int AS soft FROM run_counts',
  );
  const { repeated, refused, lost, hostile } = flood;
  const told = { reports: REPORTS, takenS: Math.round(takenS), judgedS: Math.round(judgedS), repeated, refused, lost };
  process.stderr.write(`${JSON.stringify({ ...told, hostile, before, peakMb: flood.peakMb })}\n`);
  expect({ kept: kept!.n, ...events }).toEqual({
    kept: REPORTS,
    n: REPORTS,
    letters: REPORTS,
    hard: REPORTS / 2,
  });
  expect(run).toEqual({ bounced: REPORTS / 2, soft: REPORTS / 2 });
  expect(Object.entries(flood.peakMb).filter(([, mb]) => mb > RSS_MAX_MB)).toEqual([]);
  // What was meant to hold it up was there, and nothing came of it.
  expect(Object.keys(hostile).sort()).toEqual(expect.arrayContaining(['long line 552', 'nested 250', 'slow']));
  expect(Object.keys(hostile).filter((what) => what.startsWith('long line 250'))).toEqual([]);
  expect(await rig.query('SELECT FROM delivery_events WHERE delivery_id = $1', [letters.at(-1)!.id])).toEqual([]);
});
