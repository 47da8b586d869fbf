import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findRedisServer, freePort } from '../../tools/embedded/index.mjs';
import { Program } from './program';

/** A Redis without a password that saves nothing unasked, for tests that change what it is. */
export class RedisServer {
  private running!: Program;
  private readonly folder = mkdtempSync(join(tmpdir(), 'gonets-redis-'));

  private constructor(
    readonly port: number,
    private readonly program: string,
    /** The operator's connection. */
    readonly admin: Redis,
  ) {
    admin.on('error', () => undefined);
  }

  static async start(args: string[] = []): Promise<RedisServer> {
    const port = await freePort();
    const options = { port, host: '127.0.0.1', retryStrategy: () => 100, reconnectOnError: () => false };
    const server = new RedisServer(
      port,
      await findRedisServer(),
      new Redis({ ...options, maxLoadingRetryTime: 100, maxRetriesPerRequest: null }),
    );
    server.run(args);
    await server.admin.ping();
    return server;
  }

  /** Again, on the same port, with what was saved; does not wait until it answers. */
  async restart(args: string[] = []): Promise<void> {
    await this.kill();
    this.run(args);
  }

  kill(): Promise<void> {
    return this.running.kill();
  }

  signal(signal: NodeJS.Signals): void {
    this.running.signal(signal);
  }

  async stop(): Promise<void> {
    this.admin.disconnect();
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private run(args: string[]): void {
    const own = `--port ${this.port} --bind 127.0.0.1 --dir ${this.folder} --repl-diskless-sync-delay 0`.split(' ');
    this.running = Program.start(this.program, [...own, '--save', '', ...args], { name: 'Redis' });
  }
}
