import { generateKeyPairSync } from 'node:crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { InboundListener } from '../../src/features/inbound/inbound-listener.service';
import { type ProofView, ProofLetters } from '../../src/features/inbound/proof-letters.service';
import { startApi, type TestApi } from '../support/api';
import { Postfix } from '../support/postfix';
import { eventually } from '../support/service';
import { startWorker } from '../support/worker';

/** A proof letter through a real Postfix and back to the listener. Needs Debian's postfix. */

let api: TestApi;
let worker: INestApplicationContext;
let postfix: Postfix;

beforeAll(async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  api = await startApi({
    bounceAddress: 'b@news.example.org',
    mailFrom: 'News <news@news.example.org>',
    inboundListen: '127.0.0.1:0',
    dkimDomain: 'news.example.org',
    dkimSelector: 'one',
    dkimPrivateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  });
  const port = await api.app.get(InboundListener, { strict: false }).start();
  postfix = await Postfix.start(port!);
  worker = await startWorker({ ...api.config, smtpUrl: `smtp://127.0.0.1:${postfix.port}` });
});
afterAll(async () => {
  await worker?.close();
  postfix?.stop();
  await api?.close();
});

test('a Postfix that passes letters on leaves them as they are', async () => {
  const { id } = await api.person('manager');
  const viewer = { userId: id, role: 'manager' as const };
  const proofs = api.app.get(ProofLetters, { strict: false });
  await proofs.start(viewer);
  const proof = await eventually<ProofView>(
    async () => {
      const last = await proofs.last(viewer);
      return last?.returnedAt ? last : null;
    },
    `coming back (${postfix.log.slice(-2_000)})`,
  );
  const results = Object.fromEntries(proof.checks.map(({ check, result }) => [check, result]));
  expect([proof.state, proof.source, results]).toEqual([
    'returned',
    'listener',
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
