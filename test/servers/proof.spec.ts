import { generateKeyPairSync } from 'node:crypto';
import type { ProofView } from '../../src/features/inbound/proof-letters.service';
import { FaultRig } from '../support/fault-rig';
import { Postfix } from '../support/postfix';
import { SmtpServer } from '../support/smtp-server';

/** A proof letter through a real Postfix, to a server without 8BITMIME that hands it in. Needs Debian's postfix. */

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const SETTINGS = {
  BOUNCE_ADDRESS: 'b@news.example.org',
  MAIL_FROM: 'News <news@news.example.org>',
  DKIM_DOMAIN: 'news.example.org',
  DKIM_SELECTOR: 'one',
  DKIM_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
};

let rig: FaultRig;
let server: SmtpServer;
let postfix: Postfix;
let from = '';

beforeAll(async () => {
  rig = await FaultRig.start();
  server = await SmtpServer.start({ pipelining: true, eightBitMime: false });
  server.rule = (address, step) => {
    if (step === 'mail') from = address;
    return null;
  };
  server.keep = async ([to = ''], letter) => {
    await fetch(`${rig.api.url}/api/v1/inbound?to=${encodeURIComponent(to)}&from=${encodeURIComponent(from)}`, {
      method: 'POST',
      headers: { ...rig.bearer(), 'content-type': 'message/rfc822' },
      body: new Uint8Array(letter),
    });
  };
  postfix = await Postfix.start(server.port);
});
afterAll(async () => {
  postfix?.stop();
  await server?.stop();
  await rig?.stop();
});

test('a Postfix that passes letters on leaves them as they are', async () => {
  await rig.reset({}, SETTINGS);
  await rig.startWorker({ ...SETTINGS, SMTP_URL: `smtp://127.0.0.1:${postfix.port}?ignoreTLS=true` });
  expect((await rig.call('POST', '/transport/probe')).status).toBe(202);
  const last = async () => (await rig.call<{ last: ProofView }>('GET', '/transport/probe')).body.last;
  await rig.eventually(async () => (await last()).returnedAt !== null, 60_000, `it (${postfix.log.slice(-2_000)})`);
  const { state, checks } = await last();
  expect([state, Object.fromEntries(checks.map(({ check, result }) => [check, result]))]).toEqual([
    'returned',
    {
      signature: 'ok',
      text: 'ok',
      message_id: 'ok',
      envelope: 'ok',
      unsubscribe: 'ok',
      sender: 'ok',
      receivers: 'unknown',
    },
  ]);
});
