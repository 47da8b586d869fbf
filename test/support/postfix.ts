import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../tools/embedded/index.mjs';

/** A Postfix of Debian's that passes everything on to one server; it needs root, as Postfix does. */
export class Postfix {
  private constructor(
    private readonly folder: string,
    readonly port: number,
  ) {}

  static async start(nextHopPort: number): Promise<Postfix> {
    const folder = mkdtempSync(join(tmpdir(), 'gonets-postfix-'));
    chmodSync(folder, 0o755);
    const port = await freePort();
    const [config, queue, data] = ['config', 'queue', 'data'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const made of [config, queue, data]) mkdirSync(made);
    const settings = {
      compatibility_level: '3.6',
      queue_directory: queue,
      data_directory: data,
      myhostname: 'relay.example.com',
      mydestination: '',
      mynetworks: '127.0.0.0/8',
      inet_interfaces: '127.0.0.1',
      inet_protocols: 'ipv4',
      relayhost: `[127.0.0.1]:${nextHopPort}`,
      smtpd_relay_restrictions: 'permit_mynetworks, reject',
      smtp_tls_security_level: 'none',
      smtp_dns_support_level: 'disabled',
      alias_maps: '',
      local_recipient_maps: '',
      maillog_file_prefixes: folder,
      maillog_file: join(folder, 'log'),
    };
    const main = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
    writeFileSync(join(config, 'main.cf'), main.join(''));
    const services = readFileSync('/usr/share/postfix/master.cf.dist', 'utf8')
      .replace(/^smtp +inet .*$/m, `${port} inet n - n - - smtpd`)
      // No service runs in a chroot of its own.
      .replace(/^(\S+ +(?:unix|fifo) +\S+ +\S+ +)y/gm, '$1n');
    writeFileSync(join(config, 'master.cf'), services);
    execFileSync('chown', ['-R', 'postfix', data]);
    execFileSync('/usr/sbin/postfix', ['-c', config, 'start'], { stdio: 'pipe' });
    return new Postfix(folder, port);
  }

  get log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  stop(): void {
    execFileSync('/usr/sbin/postfix', ['-c', join(this.folder, 'config'), 'abort'], { stdio: 'pipe' });
    rmSync(this.folder, { recursive: true, force: true });
  }
}
