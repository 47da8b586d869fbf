/**
 * CPU and letters per second through SmtpPool, against a bare loop over nodemailer's SMTPConnection with one ready buffer:
 *   node test/support/smtp-server.ts --options '{"fsync":false}' &      (or smtp-sink, another sink)
 *   swc src bench -d dist && node dist/bench/smtp-pool.js PORT [letters] [connections]
 */
import SMTPConnection from 'nodemailer/lib/smtp-connection';
import { SmtpPool } from '../src/smtp/smtp-pool';
import { parseSmtpUrl } from '../src/smtp/smtp-url';

const [port = '2525', letters = '20000', connections = '10'] = process.argv.slice(2);
const total = Number(letters);
const lanes = Number(connections);
const line = `${'All work and no play makes a dull letter. '.repeat(2).slice(0, 76)}\r\n`;
const raw = Buffer.from(`Message-ID: <1@bench>\r\nSubject: bench\r\n\r\n${line.repeat(38)}`);
const envelope = { from: 'bench@example.org', to: 'ok@example.org' };

async function pooled(): Promise<void> {
  const pool = new SmtpPool({ settings: parseSmtpUrl(`smtp://127.0.0.1:${port}`), connections: lanes });
  let left = total;
  const sender = async () => {
    while (left-- > 0) {
      const result = await pool.transmit({ ...envelope, raw });
      if (result.kind !== 'accepted') throw new Error(JSON.stringify(result));
    }
  };
  await Promise.all(Array.from({ length: 2 * lanes }, sender));
  await pool.close();
}

async function bare(): Promise<void> {
  let left = total;
  const lane = () =>
    new Promise<void>((resolve, reject) => {
      const connection = new SMTPConnection({ host: '127.0.0.1', port: Number(port) });
      const next = () => {
        if (left-- <= 0) {
          connection.once('end', () => resolve());
          return connection.quit();
        }
        connection.send({ ...envelope }, raw, (error) => (error ? reject(error) : next()));
      };
      connection.connect(next);
    });
  await Promise.all(Array.from({ length: lanes }, lane));
}

async function measure(name: string, run: () => Promise<void>): Promise<{ rate: number; cpu: number }> {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await run();
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(before);
  const [rate, cpu] = [total / seconds, (user + system) / total];
  console.log(`${name}: ${Math.round(rate)} letters/s, ${cpu.toFixed(1)} µs CPU per letter`);
  return { rate, cpu };
}

async function main(): Promise<void> {
  console.log(`${process.version}, ${total} letters of ${raw.length} bytes, ${lanes} connections`);
  const ratios: { rate: number; cpu: number }[] = [];
  for (let round = 0; round < 4; round++) {
    const base = await measure('bare SMTPConnection', bare);
    const ours = await measure('SmtpPool', pooled);
    ratios.push({ rate: ours.rate / base.rate, cpu: ours.cpu / base.cpu });
  }
  const list = (of: 'rate' | 'cpu') => ratios.map((ratio) => ratio[of].toFixed(2)).join(', ');
  console.log(`ratios, the first is warm-up: letters/s ${list('rate')}; CPU ${list('cpu')}`);
}

void main();
