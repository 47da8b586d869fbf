/**
 * What the product is compared with, each as a process of its own:
 *   socket      a raw socket that writes ready bytes: what the SMTP server and the kernel take
 *   connection  nodemailer's SMTPConnection in a bare loop with one ready buffer: a transport and nothing else
 *   pool        nodemailer's pool in a bare loop, no queue, no database: what people compare with
 *   naive       one BullMQ job per letter, sendMail, one INSERT per letter, ten at a time
 * Each sends its first letters to get warm and says that it is ready; it begins at `go` and reports letters and CPU time.
 */
import { connect } from 'node:net';
import { once } from 'node:events';
import { clientOf, fill, html, subject, text } from './letter.mjs';

const [kind, port, letters, connections, warmUp] = [process.argv[2], ...process.argv.slice(3).map(Number)];
const from = 'gonets@example.org';
const letterOf = (n) => {
  const client = clientOf(n);
  return { from, to: client.email, subject: fill(subject, client), html: fill(html, client), text: fill(text, client) };
};

async function readyBuffer() {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer');
  return await new MailComposer(letterOf(1)).compile().build();
}

/** Each lane asks for a ticket per letter. */
const lanes = (letters, lane) => {
  let left = letters;
  return Promise.all(Array.from({ length: connections }, () => lane(() => left-- > 0)));
};

const kinds = {
  async socket() {
    const body = Buffer.concat([await readyBuffer(), Buffer.from('\r\n.\r\n')]);
    const envelope = `MAIL FROM:<${from}>\r\nRCPT TO:<client@example.net>\r\nDATA\r\n`;
    const open = async () => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'data');
      socket.write('EHLO bench\r\n');
      await once(socket, 'data');
      return socket;
    };
    const sockets = await Promise.all(Array.from({ length: connections }, open));
    return (count) =>
      lanes(count, (ticket) => {
        const socket = /** @type {import('node:net').Socket} */ (sockets.shift());
        return new Promise((resolve) => {
          let lines = 0;
          const read = (data) => {
            for (let i = data.indexOf(10); i >= 0; i = data.indexOf(10, i + 1)) lines++;
            if (lines === 3) socket.write(body);
            else if (lines === 4) next();
          };
          socket.on('data', read);
          const next = () => {
            lines = 0;
            if (ticket()) return socket.write(envelope);
            socket.off('data', read);
            sockets.push(socket);
            return resolve(undefined);
          };
          next();
        });
      });
  },

  async connection() {
    const { default: SMTPConnection } = await import('nodemailer/lib/smtp-connection');
    const raw = await readyBuffer();
    const open = () =>
      new Promise((resolve) => {
        const connection = new SMTPConnection({ host: '127.0.0.1', port });
        connection.connect(() => resolve(connection));
      });
    const opened = await Promise.all(Array.from({ length: connections }, open));
    return (count) =>
      lanes(count, (ticket) => {
        const connection = opened.shift();
        return new Promise((resolve, reject) => {
          const next = () => {
            if (!ticket()) return resolve(opened.push(connection));
            connection.send({ from, to: ['client@example.net'] }, raw, (/** @type {Error | null} */ error) =>
              error ? reject(error) : next(),
            );
          };
          next();
        });
      });
  },

  async pool() {
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host: '127.0.0.1',
      port,
      pool: true,
      maxConnections: connections,
      maxMessages: Infinity,
    });
    return (count) => {
      let n = 0;
      return lanes(count, async (ticket) => {
        while (ticket()) await transport.sendMail(letterOf(++n));
      });
    };
  },

  async naive() {
    const { Queue, Worker } = await import('bullmq');
    const { Redis } = await import('ioredis');
    const { default: pg } = await import('pg');
    const { createTransport } = await import('nodemailer');
    const transport = createTransport({
      host: '127.0.0.1',
      port,
      pool: true,
      maxConnections: connections,
      maxMessages: Infinity,
    });
    const database = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
    const connection = new Redis(process.env.REDIS_URL ?? '', { maxRetriesPerRequest: null });
    const queue = new Queue('naive', { connection, prefix: '{naive}' });
    return async (count) => {
      let done = 0;
      let finished;
      const end = new Promise((resolve) => (finished = resolve));
      const worker = new Worker(
        'naive',
        async (job) => {
          const info = await transport.sendMail(letterOf(job.data.n));
          await database.query('INSERT INTO naive_log (email, status, response) VALUES ($1, $2, $3)', [
            job.data.email,
            'ok',
            info.response,
          ]);
          done++;
        },
        { connection, prefix: '{naive}', concurrency: 10, removeOnComplete: { count: 1000 } },
      );
      // Each process adds its share, as a request that starts a mailing would; all of them work on all jobs.
      for (let n = 0; n < count; n += 1000) {
        const page = Array.from({ length: Math.min(1000, count - n) }, (_, i) => n + i);
        await queue.addBulk(page.map((i) => ({ name: 'send', data: { n: i, email: clientOf(i).email } })));
      }
      const watch = setInterval(() => {
        void queue
          .getJobCounts('waiting', 'active')
          .then(({ waiting, active }) => waiting + active === 0 && finished());
      }, 50);
      await end;
      clearInterval(watch);
      await worker.close();
      return done;
    };
  },
};

const go = await kinds[kind]();
await go(warmUp);
process.once('message', () => void measure());
process.on('disconnect', () => process.exit(0));
process.send?.('ready');

async function measure() {
  const cpu = process.cpuUsage();
  const done = await go(letters);
  const { user, system } = process.cpuUsage(cpu);
  process.send?.({ letters: typeof done === 'number' ? done : letters, cpuMicros: user + system });
  process.once('message', () => process.exit(0));
}
