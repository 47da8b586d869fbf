import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../tools/embedded/index.mjs';
import { Program } from './program';

/** A Dovecot of Debian's with one mailbox, whose letters are files; it needs root, as Dovecot does. */
export class Dovecot {
  private letters = 0;

  private constructor(
    private readonly folder: string,
    private readonly program: Program,
    /** Plain, with STARTTLS. */
    readonly port: number,
    readonly tlsPort: number,
  ) {}

  /** @param tokenInfo the URL that says whose an access token is, which is put at its end */
  static async start(tokenInfo: string): Promise<Dovecot> {
    const folder = mkdtempSync(join(tmpdir(), 'gonets-dovecot-'));
    chmodSync(folder, 0o755);
    for (const name of ['mail/tmp', 'mail/new', 'mail/cur', 'run']) mkdirSync(join(folder, name), { recursive: true });
    execFileSync('chown', ['-R', 'nobody:nogroup', join(folder, 'mail')]);
    copyFileSync(CERTIFICATE, join(folder, 'pem'));
    const [port, tlsPort] = [await freePort(), await freePort()];
    writeFileSync(join(folder, 'oauth2.conf'), `tokeninfo_url = ${tokenInfo}\nusername_attribute = email\n`);
    writeFileSync(join(folder, 'dovecot.conf'), config(folder, port, tlsPort));
    const program = Program.start('/usr/sbin/dovecot', ['-F', '-c', join(folder, 'dovecot.conf')]);
    const dovecot = new Dovecot(folder, program, port, tlsPort);
    await dovecot.says(/starting up/);
    return dovecot;
  }

  get log(): string {
    try {
      return readFileSync(join(this.folder, 'log'), 'utf8');
    } catch {
      return '';
    }
  }

  /** A letter comes in, as an MTA delivers it. @returns its file's name */
  deliver(raw: Buffer | string): string {
    const name = `${1_700_000_000 + ++this.letters}.M${this.letters}P1.test`;
    const [before, after] = ['tmp', 'new'].map((place) => join(this.folder, 'mail', place, name)) as [string, string];
    writeFileSync(before, raw);
    execFileSync('chown', ['nobody:nogroup', before]);
    renameSync(before, after);
    return name;
  }

  /** The letters of a folder, by their files' names, with their flags. */
  files(folder = ''): { name: string; flags: string }[] {
    const read = (place: string) => {
      try {
        return readdirSync(join(this.folder, 'mail', folder, place));
      } catch {
        return [];
      }
    };
    return [...read('new'), ...read('cur')].map((file) => {
      const [name = '', flags = ''] = file.split(':2,');
      return { name: name.split(',')[0]!, flags };
    });
  }

  async stop(): Promise<void> {
    await this.program.kill('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async says(pattern: RegExp): Promise<void> {
    for (const deadline = Date.now() + 30_000; !pattern.test(this.log);) {
      if (Date.now() > deadline) throw new Error(`Dovecot did not start: ${this.log}${this.program.tail()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** Of this machine, signed by itself. */
export const CERTIFICATE = join(__dirname, 'localhost.pem');

const config = (folder: string, port: number, tlsPort: number): string => `
base_dir = ${folder}/run
state_dir = ${folder}/run
log_path = ${folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <${folder}/pem
ssl_key = <${folder}/pem
# From this machine a login without TLS is allowed; others ask for TLS before.
disable_plaintext_auth = yes
auth_mechanisms = plain xoauth2
first_valid_uid = 1
mail_location = maildir:${folder}/mail
mail_max_userip_connections = 50
passdb {
  driver = static
  args = password=secret
  mechanisms = plain
}
passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = ${folder}/oauth2.conf
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${folder}
}
service imap-login {
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${tlsPort}
    ssl = yes
  }
}
`;
