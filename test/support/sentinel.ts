import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from '../../tools/embedded/index.mjs';
import { Program } from './program';
import { type RedisServer } from './redis-server';

const COMMAND = '/usr/bin/redis-sentinel';
const NAME = 'gonets';

/** A Sentinel of Debian's that watches a primary and its replica, and promotes the replica when the primary is silent for a second. */
export class Sentinel {
  /** The port of each new primary, when it is promoted. */
  readonly promoted: number[] = [];

  private constructor(
    private readonly program: Program,
    private readonly folder: string,
    private readonly admin: Redis,
    private readonly events: Redis,
  ) {}

  static async start(primary: RedisServer): Promise<Sentinel> {
    if (!existsSync(COMMAND)) throw new Error('apt-get install redis-sentinel');
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'gonets-sentinel-'));
    const file = join(folder, 'sentinel.conf');
    writeFileSync(
      file,
      [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir ${folder}`,
        `sentinel monitor ${NAME} 127.0.0.1 ${primary.port} 1`,
        `sentinel down-after-milliseconds ${NAME} 1000`,
        `sentinel failover-timeout ${NAME} 5000`,
      ].join('\n'),
    );
    const program = Program.start(COMMAND, [file]);
    const connect = () => {
      const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 100, maxRetriesPerRequest: null });
      return client.on('error', () => undefined);
    };
    const sentinel = new Sentinel(program, folder, connect(), connect());
    sentinel.events.on('message', (_channel, message: string) => {
      const [name, , , , to] = message.split(' ');
      if (name === NAME) sentinel.promoted.push(Number(to));
    });
    await sentinel.events.subscribe('+switch-master');
    return sentinel;
  }

  /** Until it knows a replica that it could promote. */
  async knowsReplica(): Promise<void> {
    for (const deadline = performance.now() + 60_000; performance.now() < deadline; await sleep(100)) {
      const replicas = (await this.admin.call('SENTINEL', 'REPLICAS', NAME)) as string[][];
      const fields = replicas.map((flat) => new Map(flat.map((field, i) => [field, flat[i + 1]])));
      if (fields.some((of) => of.get('flags') === 'slave' && of.get('master-link-status') === 'ok')) return;
    }
    throw new Error('Sentinel found no replica');
  }

  /** By hand, without need. */
  async failOver(): Promise<void> {
    await this.admin.call('SENTINEL', 'FAILOVER', NAME);
  }

  async stop(): Promise<void> {
    this.admin.disconnect();
    this.events.disconnect();
    await this.program.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
