import { CALM, type FaultRig } from './fault-rig';
import { checkInvariants } from './invariants';
import type { Program } from './program';
import { TcpProxy } from './tcp-proxy';

/** Two workers and an API whose Redis is one address, whatever server is behind it, and what must be true of them. */
export class RedisAddress {
  workers: Program[] = [];

  private constructor(
    private readonly rig: FaultRig,
    readonly proxy: TcpProxy,
  ) {}

  static async start(rig: FaultRig, port: number): Promise<RedisAddress> {
    const address = new RedisAddress(rig, await TcpProxy.start(port));
    await rig.reset({}, address.env);
    address.workers = await rig.startWorkers(2, address.env);
    return address;
  }

  get env(): Record<string, string> {
    return { ...CALM, REDIS_URL: `redis://127.0.0.1:${this.proxy.port}/0`, RATE_LIMIT_PER_SECOND: '100' };
  }

  async stop(): Promise<void> {
    await this.rig.killAll();
    await this.rig.api.kill();
    await this.proxy.stop();
  }

  async health(): Promise<{ status: string; degraded: string[] }> {
    const response = await fetch(`${this.rig.api.url}/api/v1/health/ready`);
    return (await response.json()) as { status: string; degraded: string[] };
  }

  degraded(reason: string): Promise<void> {
    const named = async () => (await this.health()).degraded.includes(reason);
    return this.rig.eventually(named, 30_000, `degraded by ${reason}`);
  }

  /** A server is there: within the promised minute all is sent by the processes that began it, nothing twice; no log is flooded. */
  async allSent(deliveries: number, fault: string): Promise<void> {
    expect(await this.rig.quiet(60_000)).toBeLessThan(60_000);
    await this.rig.eventually(async () => (await this.health()).status === 'ok', 30_000, 'ready and ok');
    const measured = await checkInvariants(this.rig, { deathsAfterDot: false, deliveries });
    this.rig.note(`6 ${fault}`, measured, 0);
    expect(measured.states).toEqual({ sent: deliveries });
    expect(this.workers.map(({ alive }) => alive)).toEqual(this.workers.map(() => true));
    for (const { log } of [...this.workers, this.rig.api]) expect(saidTooOften(log)).toEqual([]);
  }
}

/** Trouble with Redis that stands in a log more often than once, with a count each minute after. */
function saidTooOften(log: string): string[] {
  const said = new Map<string, number>();
  for (const line of log.split('\n')) {
    if (!/"level":(40|50)/.test(line)) continue;
    const { event, queue, reason, times } = JSON.parse(line) as Record<string, string>;
    const what = `${event} ${queue} ${reason?.replace(/\d+/g, '0')}`;
    if (times === undefined) said.set(what, (said.get(what) ?? 0) + 1);
  }
  // After a minute without, it may begin anew.
  return [...said].filter(([, times]) => times > 2).map(([what, times]) => `${times} × ${what}`);
}
