import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { freePort } from '../../tools/embedded/index.mjs';
import { Program } from './program';

const COMMAND = '/usr/sbin/pgbouncer';

/** A PgBouncer of Debian's before a Postgres; the same port and settings at every start. */
export class PgBouncer {
  private program: Program | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), 'gonets-pgbouncer-'));

  private constructor(private readonly port: number) {}

  static async start(databaseUrl: string, settings: Record<string, string | number>): Promise<PgBouncer> {
    if (!existsSync(COMMAND)) throw new Error('apt-get install pgbouncer');
    const bouncer = new PgBouncer(await freePort());
    bouncer.configure(new URL(databaseUrl), settings);
    await bouncer.start();
    return bouncer;
  }

  get url(): string {
    return `postgres://gonets@127.0.0.1:${this.port}/gonets`;
  }

  async start(): Promise<void> {
    const program = Program.start(COMMAND, [join(this.folder, 'pgbouncer.ini')], { ...account(), cwd: '/' });
    this.program = program;
    for (const deadline = performance.now() + 20_000; ; await sleep(50)) {
      try {
        await this.admin('SHOW VERSION');
        return;
      } catch (error) {
        if (performance.now() > deadline || !program.alive)
          throw new Error(`pgbouncer did not start: ${program.tail()}`, { cause: error });
      }
    }
  }

  /** By SIGTERM it breaks off all connections at once. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.program?.kill(signal);
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A command of the console: PAUSE, RESUME, KILL, SHOW … */
  async admin(command: string): Promise<unknown[]> {
    const client = new Client({ connectionString: `postgres://admin@127.0.0.1:${this.port}/pgbouncer` });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query(command)).rows as unknown[];
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  private configure({ port, username, password }: URL, settings: Record<string, string | number>): void {
    const all = {
      listen_addr: '127.0.0.1',
      listen_port: this.port,
      unix_socket_dir: '',
      auth_type: 'trust',
      auth_file: join(this.folder, 'users'),
      admin_users: 'admin',
      logfile: join(this.folder, 'log'),
      max_client_conn: 500,
      server_login_retry: 1,
      ...settings,
    };
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`);
    const file = join(this.folder, 'pgbouncer.ini');
    const database = `gonets = host=127.0.0.1 port=${port} dbname=gonets user=${username} password=${password}`;
    writeFileSync(file, `[databases]\n${database}\n[pgbouncer]\n${lines.join('\n')}\n`);
    const users = join(this.folder, 'users');
    writeFileSync(users, '"gonets" ""\n"admin" ""\n');
    const { uid, gid } = account();
    for (const path of [this.folder, file, users])
      if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
    chmodSync(file, 0o600);
  }
}

/** It refuses to run as root. */
function account(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string) => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}
