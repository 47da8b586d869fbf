import { returnTokenWriter } from '../../src/domain/bounce-address';
import type { LinkKey } from '../../src/domain/address-token';
import { FaultRig } from '../support/fault-rig';
import { dsn } from '../support/inbound-letters';
import { SmtpClient } from '../support/smtp-client';

jest.setTimeout(600_000);

/** Letters come back while processes die and Redis loses everything: none is lost, and none counts twice. */

const long = Boolean(process.env.FAULT_MINUTES);
const REPORTS = long ? 10_000 : 400;
const CONNECTIONS = 20;
const INBOUND = { BOUNCE_ADDRESS: 'b@news.example.org', INBOUND_LISTEN: '127.0.0.1:0' };

let rig: FaultRig;

beforeAll(async () => {
  rig = await FaultRig.start();
});
afterAll(async () => {
  await rig?.stop();
});

interface Sent {
  email: string;
  to: string;
}

/** Letters that were sent, and where each comes back to. */
async function sent(count: number): Promise<Sent[]> {
  const runId = await rig.send(await rig.mailing(Array.from({ length: count }, () => 'ok-')));
  await rig.quiet(120_000);
  const [key] = await rig.query<LinkKey>('SELECT id, secret FROM link_keys ORDER BY id DESC LIMIT 1');
  const tokensOf = returnTokenWriter(key!);
  const rows = await rig.query<{ id: string; email: string }>('SELECT id, email FROM deliveries WHERE run_id = $1', [
    runId,
  ]);
  return rows.map(({ id, email }) => ({ email, to: `b+${tokensOf(Number(id)).bounce}@news.example.org` }));
}

const port = async () => Number((await rig.api.said('inbound.listening')).port);
const report = ({ email }: Sent) => dsn({ final: `rfc822; ${email}`, status: '5.1.1' }).toString('latin1');

/** Hands in each report, twice, over many connections, each until it is taken, as mail servers do. */
async function handIn(letters: Sent[], at: number, onTaken: (n: number) => void): Promise<void> {
  let taken = 0;
  const queue = [...letters, ...letters];
  const one = async () => {
    let client = await SmtpClient.open(at);
    for (let letter = queue.shift(); letter; letter = queue.shift()) {
      while (!(await client.letter(report(letter), letter.to)).startsWith('250')) client = await SmtpClient.open(at);
      onTaken(++taken);
    }
    client.socket.end();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, one));
}

it('none is lost and none counts twice, though workers die and Redis forgets', async () => {
  await rig.reset({}, INBOUND);
  await rig.startWorkers(1, INBOUND);
  const letters = await sent(REPORTS);
  // One that dies between its decision and the commit, and one that is killed; then one goes on.
  await rig.startWorker({ ...INBOUND, GONETS_FAILPOINT: 'inbound-decided@20' });
  let disturbed: Promise<unknown> = Promise.resolve();
  await handIn(letters, await port(), (n) => {
    if (n === REPORTS / 2) disturbed = rig.flushRedis();
  });
  await disturbed;
  await rig.eventually(async () => {
    const [row] = await rig.query<{ n: string }>('SELECT count(*) AS n FROM inbound_letters WHERE judged_at IS NULL');
    return row?.n === '0';
  }, 120_000);
  const [row] = await rig.query(
    `SELECT (SELECT count(*)::int FROM inbound_letters) AS letters,
            (SELECT count(*)::int FROM delivery_events WHERE kind = 'bounced') AS events,
            (SELECT count(DISTINCT delivery_id)::int FROM delivery_events WHERE kind = 'bounced') AS deliveries,
            (SELECT sum(bounced)::int FROM run_counts) AS counted`,
  );
  expect(row).toEqual({ letters: REPORTS, events: REPORTS, deliveries: REPORTS, counted: REPORTS });
});

it('while the database is away, a letter is to come again, and then it is taken', async () => {
  await rig.reset({}, INBOUND);
  await rig.startWorkers(1, INBOUND);
  const [letter] = (await sent(1)) as [Sent];
  const client = await SmtpClient.open(await port());
  await client.send('MAIL FROM:<>');
  expect(await client.send(`RCPT TO:<${letter.to}>`)).toMatch(/^250 /);
  await client.send('DATA');
  await rig.postgres.stop();
  expect(await client.send(`${report(letter)}\r\n.`)).toMatch(/^451 /);
  await rig.postgres.start();
  await rig.eventually(async () => (await client.letter(report(letter), letter.to)).startsWith('250'), 60_000);
  await rig.eventually(async () => {
    const rows = await rig.query(`SELECT 1 FROM delivery_events WHERE kind = 'bounced'`);
    return rows.length === 1;
  }, 60_000);
});
