import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { freePort } from '../../tools/embedded/index.mjs';

/** Where Debian's package postgresql-15 has its programs: the oldest version that the service promises to work on. */
const BIN = '/usr/lib/postgresql/15/bin';

/** A server of Debian's PostgreSQL 15 with its own pg_dump and pg_restore, reached over loopback without a password. */
export class DebianPostgres {
  running = false;
  readonly pid = undefined;
  readonly logFile: string;

  private constructor(
    readonly dataDir: string,
    readonly port: number,
    private readonly account: { uid?: number; gid?: number },
  ) {
    this.logFile = join(dataDir, 'server.log');
  }

  static async create(folder: string): Promise<DebianPostgres> {
    if (!existsSync(BIN)) throw new Error('Install the Debian package postgresql-15.');
    mkdirSync(folder, { recursive: true });
    const account = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
    const server = new DebianPostgres(join(folder, 'data'), await freePort(), account);
    if (account.uid !== undefined) {
      spawnSync('chown', [`${account.uid}:${account.gid}`, folder]);
      // A temporary folder is its owner's alone; the server may pass through.
      chmodSync(dirname(folder), 0o711);
    }
    server.run('initdb', [
      '-D',
      server.dataDir,
      '-U',
      'gonets',
      '--auth',
      'trust',
      '--encoding',
      'UTF8',
      '--locale',
      'C',
    ]);
    await server.start();
    server.run('createdb', ['gonets']);
    return server;
  }

  get url(): string {
    return `postgres://gonets@127.0.0.1:${this.port}/gonets`;
  }

  start(): Promise<void> {
    if (!this.running) {
      const options = `-p ${this.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=100`;
      this.run('pg_ctl', ['start', '-w', '-D', this.dataDir, '-l', this.logFile, '-o', options]);
    }
    this.running = true;
    return Promise.resolve();
  }

  stop(mode: 'fast' | 'immediate' | 'smart' = 'fast'): Promise<void> {
    if (this.running) this.run('pg_ctl', ['stop', '-w', '-D', this.dataDir, '-m', mode]);
    this.running = false;
    return Promise.resolve();
  }

  kill(): Promise<void> {
    return this.stop('immediate');
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** A dump of the database as it is now, whoever works on it. */
  dump(): void {
    this.run('pg_dump', ['-Fc', '-f', `${this.dataDir}.dump`, 'gonets']);
  }

  /** The database is dropped, and comes back from the dump. */
  restore(): void {
    this.run('dropdb', ['--force', 'gonets']);
    this.run('createdb', ['gonets']);
    this.run('pg_restore', ['--exit-on-error', '-d', 'gonets', `${this.dataDir}.dump`]);
    rmSync(`${this.dataDir}.dump`);
  }

  private run(program: string, args: string[]): void {
    const env = {
      PATH: process.env.PATH,
      LC_ALL: 'C',
      PGHOST: '127.0.0.1',
      PGPORT: String(this.port),
      PGUSER: 'gonets',
    };
    // Not a pipe: the server that pg_ctl starts would keep it open.
    const stdio = program === 'pg_ctl' ? ('ignore' as const) : undefined;
    const done = spawnSync(join(BIN, program), args, { ...this.account, cwd: '/', env, encoding: 'utf8', stdio });
    if (done.status !== 0) throw new Error(`${program} failed: ${done.error?.message ?? done.stderr}`);
  }
}

function idOf(flag: '-u' | '-g'): number {
  return Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout);
}
