/**
 * The demo's mail server: takes letters by SMTP, treats each address as its local part says, and shows what it accepted
 * in the inbox of maildev. Nothing ever leaves this machine.
 *
 * | local part begins with | answer to RCPT TO |
 * |---|---|
 * | `refused.unknown.` | 550 5.1.1 |
 * | `refused.full.` | 552 5.2.2 |
 * | `refused.policy.` | 554 5.7.1 |
 * | `greylisted.once.`, `greylisted.twice.` | 451 4.7.1 at the first one or two tries |
 * | anything else | accepted |
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import nodemailer from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { freePort, Service } from '../tools/embedded/service.mjs';

const refusals = {
  'refused.unknown.': [550, '5.1.1 No such mailbox here'],
  'refused.full.': [552, '5.2.2 The mailbox is full'],
  'refused.policy.': [554, '5.7.1 Refused by the policy of this domain'],
};
const greylist = { 'greylisted.once.': 1, 'greylisted.twice.': 2 };
const keptLetters = 2000;
const largestLetter = 10 << 20;

/** What this server does with an address in the end: `accept`, or `refuse` with the code; and how often it defers first. */
export function scriptedVerdict(address) {
  const local = address.toLowerCase();
  const refused = Object.keys(refusals).find((start) => local.startsWith(start));
  if (refused) return { verdict: 'refuse', reply: refusals[refused], deferrals: 0 };
  const grey = Object.keys(greylist).find((start) => local.startsWith(start));
  return { verdict: 'accept', deferrals: grey ? greylist[grey] : 0 };
}

/**
 * Starts the server and its inbox on loopback. A letter is acknowledged only after the inbox has it; if the inbox can't
 * take it, the answer is 451 and the letter counts as deferred. The inbox keeps the last 2,000 letters.
 *
 * @param {{ smtpPort?: number, webPort?: number }} options free ports unless given
 * @returns {Promise<{ url: string, inboxUrl: string, counts: () => DemoCounts,
 *   letterTo: (address: string) => Promise<string>, stop: () => Promise<void> }>} `letterTo`: the newest letter to this
 *   address that is in the inbox, as it arrived
 *
 * @typedef {object} DemoCounts all addresses in lower case
 * @property {Record<string, number>} accepted letters per address
 * @property {Record<string, number>} refused RCPT TO answered 5xx, per address
 * @property {Record<string, number>} deferred RCPT TO or letters answered 4xx, per address
 */
export async function startDemoSmtp({ smtpPort, webPort } = {}) {
  const inbox = await startInbox(webPort);
  const counts = { accepted: {}, refused: {}, deferred: {} };
  const count = (kind, address) => (counts[kind][address] = (counts[kind][address] ?? 0) + 1);

  const server = new SMTPServer({
    name: 'mail.example',
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: largestLetter,
    logger: false,
    onRcptTo({ address }, _session, done) {
      const recipient = address.toLowerCase();
      const { verdict, reply, deferrals } = scriptedVerdict(recipient);
      if (verdict === 'refuse') {
        count('refused', recipient);
        return done(smtpError(...reply));
      }
      if ((counts.deferred[recipient] ?? 0) < deferrals) {
        count('deferred', recipient);
        return done(smtpError(451, '4.7.1 Greylisted, please try again later'));
      }
      done();
    },
    onData(stream, { envelope }, done) {
      const recipients = envelope.rcptTo.map(({ address }) => address.toLowerCase());
      const refuse = (...reply) => {
        for (const recipient of recipients) count(reply[0] < 500 ? 'deferred' : 'refused', recipient);
        done(smtpError(...reply));
      };
      const chunks = [];
      stream.on('data', (chunk) => stream.sizeExceeded || chunks.push(chunk));
      stream.once('end', () => {
        if (stream.sizeExceeded) return refuse(552, '5.3.4 The letter is too large');
        const from = envelope.mailFrom ? envelope.mailFrom.address : '';
        inbox.deliver({ from, to: recipients }, Buffer.concat(chunks)).then(
          () => {
            for (const recipient of recipients) count('accepted', recipient);
            done(null, '2.0.0 Accepted');
          },
          () => refuse(451, '4.3.0 The inbox does not answer, please try again later'),
        );
      });
    },
  });
  try {
    await new Promise((done, fail) =>
      server.once('error', fail).listen(smtpPort ?? 0, '127.0.0.1', () => done(undefined)),
    );
  } catch (error) {
    await inbox.stop();
    throw error;
  }
  // A client that goes away in the middle of a letter is everyday life for a mail server.
  server.removeAllListeners('error').on('error', () => undefined);

  const { port } = /** @type {import('node:net').AddressInfo} */ (server.server.address());
  return {
    url: `smtp://127.0.0.1:${port}`,
    inboxUrl: inbox.url,
    counts: () => structuredClone(counts),
    letterTo: inbox.letterTo,
    async stop() {
      await new Promise((done) => server.close(() => done(undefined)));
      await inbox.stop();
    },
  };
}

const smtpError = (responseCode, message) => Object.assign(new Error(message), { responseCode });

/** maildev as a process of its own, so that parsing letters costs neither the sender's time nor its memory. */
async function startInbox(wantedPort) {
  const directory = mkdtempSync(join(tmpdir(), 'gonets-inbox-'));
  const executable = resolve(fileURLToPath(import.meta.resolve('maildev')), '../bin/maildev.js');
  const webPort = await freePort(wantedPort);
  const smtpPort = await freePort();
  const url = `http://127.0.0.1:${webPort}`;
  const service = new Service({
    name: 'The inbox (maildev)',
    directory,
    command: () => Promise.resolve({
      command: process.execPath,
      args: [
        ...[
          executable,
          '--silent',
          '--max-emails',
          String(keptLetters),
          '--mail-directory',
          join(directory, 'letters'),
        ],
        ...['--ip', '127.0.0.1', '--smtp', String(smtpPort), '--web-ip', '127.0.0.1', '--web', String(webPort)],
      ],
      options: { cwd: directory, env: { ...process.env, NODE_OPTIONS: '' } },
    }),
    ready: () =>
      fetch(url, { headers: { accept: 'text/html' } }).then(
        (response) => response.ok,
        () => false,
      ),
    orphan: () => undefined,
    stopModes: { graceful: 'SIGTERM' },
  });
  const removeDirectory = () => rmSync(directory, { recursive: true, force: true });
  try {
    await service.start();
  } catch (error) {
    removeDirectory();
    throw error;
  }
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port: smtpPort,
    pool: true,
    maxConnections: 8,
    maxMessages: Infinity,
    maxRequeues: 0,
    ignoreTLS: true,
  });
  return {
    url,
    letterTo: async (address) => {
      const found = await fetch(`${url}/api/email/summary?${new URLSearchParams({ search: address })}`);
      const { items } = await found.json();
      const newest = items.find(({ to }) => to.some((one) => one.address.toLowerCase() === address.toLowerCase()));
      if (!newest) throw new Error(`The inbox has no letter to ${address}.`);
      return (await fetch(`${url}/api/email/${newest.id}/source`)).text();
    },
    deliver: (envelope, raw) => transport.sendMail({ envelope, raw }),
    async stop() {
      transport.close();
      await service.stop();
      removeDirectory();
    },
  };
}
