import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askSpamd } from '../../src/spamd/spamd';
import { eventually } from '../support/service';

/** SpamAssassin's own daemon, asked by its protocol. Needs Debian's spamd. */

describe('spamd', () => {
  const home = mkdtempSync(join(tmpdir(), 'spamd-'));
  let daemon: ChildProcess;
  let address: string;

  beforeAll(async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    address = `127.0.0.1:${port}`;
    const args = ['-L', '-x', '-s', 'stderr', '-u', 'nobody', '-i', '127.0.0.1', '-p', String(port), '-m', '1'];
    daemon = spawn('/usr/sbin/spamd', args, { stdio: 'ignore', env: { PATH: process.env.PATH, HOME: home } });
    await eventually(() => askSpamd(address, letter('Hello'), 60_000), 'an answer of spamd');
  });
  afterAll(async () => {
    daemon.kill();
    await once(daemon, 'exit');
    rmSync(home, { recursive: true });
  });

  const letter = (body: string) =>
    Buffer.from(
      `From: a@shop.example\r\nTo: b@client.example\r\nSubject: News\r\nDate: ${new Date().toUTCString()}\r\n` +
        `Message-ID: <1@shop.example>\r\n\r\n${body}\r\n`,
    );

  it('gives a letter a score, and names its rules', async () => {
    const gtube = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X';
    const spam = await askSpamd(address, letter(gtube), 60_000);
    expect(spam!.score).toBeGreaterThan(900);
    expect(spam!.tests).toContain('GTUBE');
    expect((await askSpamd(address, letter('Hello, Ben. Here is the news.'), 60_000))!.score).toBeLessThan(5);
  });
});
