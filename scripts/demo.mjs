/**
 * `npm run demo [-- --exit]`: everything on this machine, sending to nobody. Starts what is not given (PostgreSQL, Redis, a
 * mail server with an inbox), the API and two workers; imports 1,000 made-up clients, sends them a mailing, and checks that
 * each got what the demo's mail server was told to do with them. Some then unsubscribe by the link in their letter; a second
 * mailing waits to be looked at, with what its check says about them. Data stays under .data/ for the next start.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { prepare, projectFolder } from '../tools/embedded/install.mjs';

await prepare(import.meta.url);
const { providePostgres, provideRedis } = await import('../tools/embedded/index.mjs');
const { freePort } = await import('../tools/embedded/service.mjs');
const { build, interrupted, keepRunning, migrate, ready } = await import('./processes.mjs');
const { forget, remember } = await import('./local.mjs');
const { scriptedVerdict, startDemoSmtp } = await import('../demo/smtp-server.mjs');
const { clickUnsubscribe, excludedInWords, unsubscribes } = await import('../demo/consent.mjs');
const { default: cliProgress } = await import('cli-progress');
const { parse } = await import('csv-parse/sync');
const { default: pg } = await import('pg');

const exitAtEnd = process.argv.includes('--exit');
const data = join(projectFolder, '.data/demo');
const say = (text) => process.stdout.write(`${text}\n`);
const started = [];
const stop = interrupted();
void stop.then(() => say('\nStopping …'));

/** Who is excluded gets no letter, and the mail server hears nothing of them. */
const EXCLUDED = { verdict: 'nothing', deferrals: 0 };
const STATUS_OF = { accept: 'sent', refuse: 'failed', nothing: 'skipped' };

let ok = false;
try {
  const outcome = await Promise.race([demo(), stop.then(() => 'interrupted')]);
  ok = outcome === true || (outcome === 'interrupted' && !exitAtEnd);
  if (!exitAtEnd && outcome !== 'interrupted') await stop;
} catch (error) {
  process.stderr.write(`The demo failed: ${error.message}\nLogs are in ${join(data, 'logs')}\n`);
}
for (const part of started.reverse()) await part.stop();
forget();
process.exit(ok ? 0 : 1);

async function demo() {
  mkdirSync(data, { recursive: true });
  say('Starting PostgreSQL, Redis and a mail server that sends nothing anywhere …');
  const postgres = await providePostgres({ dataDir: join(data, 'postgres') });
  started.push(postgres);
  const redis = await provideRedis({ dataDir: join(data, 'redis') });
  started.push(redis);
  const mail = process.env.SMTP_URL ? undefined : await startDemoSmtp();
  if (mail) started.push(mail);
  await build({ always: true });

  const port = Number(process.env.PORT ?? (await freePort(3000)));
  const url = `http://localhost:${port}`;
  const signIn = rememberedSignIn();
  const env = {
    MAIL_FROM: 'Gonets Demo <demo@example.com>',
    SENDER_ADDRESS: 'Demo Street 1, 12345 Exampletown',
    PREFLIGHT: 'off',
    // A real service waits minutes between the tries of a letter; a demo need not.
    RETRY_DELAYS_MS: '2000,4000,8000,16000',
    SCHEDULER_INTERVAL_MS: '5000',
    ...process.env,
    NODE_ENV: 'development',
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    SMTP_URL: mail?.url ?? process.env.SMTP_URL,
    PUBLIC_URL: process.env.PUBLIC_URL ?? url,
    SECRET_KEY: signIn.secretKey,
    PORT: String(port),
  };
  remember(env);
  await migrate(env);
  const cli = async (args, input) => {
    const running = promisify(execFile)(process.execPath, ['dist/main.cli.js', ...args], { cwd: projectFolder, env });
    running.child.stdin?.end(input ?? '');
    return JSON.parse((await running).stdout);
  };
  for (const [n, name] of /** @type {const} */ (['api', 'worker', 'worker']).entries()) {
    started.push(keepRunning({ name, env, logFile: join(data, `logs/${name}${n || ''}.log`) }));
  }
  const known = await query(postgres.url, 'SELECT FROM users WHERE email = $1', [signIn.email]);
  if (known.length === 0) {
    await cli(
      ['create-user', '--email', signIn.email, '--role', 'admin', '--name', 'Demo Admin', '--password-stdin', '--json'],
      signIn.password,
    );
  }
  const { token } = await cli([
    'create-token',
    '--email',
    signIn.email,
    '--name',
    `demo ${new Date().toISOString()}`,
    '--json',
  ]);
  await ready(url);

  const call = async (method, path, body, type = 'application/json') => {
    const answer = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': type }) },
      ...(body === undefined ? {} : { body: type === 'application/json' ? JSON.stringify(body) : body }),
    });
    const result = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${result.detail ?? answer.status}`);
    return result;
  };

  const people = readFileSync(join(projectFolder, 'demo/clients.csv'));
  const { importId } = await call('POST', '/clients/import', people, 'text/csv');
  let imported;
  do {
    imported = await call('GET', `/imports/${importId}`);
    await pause(200);
  } while (imported.status === 'running');
  say(
    `Imported ${imported.rows} clients: ${imported.added} new, ${imported.updated} known, ${imported.rejected} rejected.`,
  );

  const message = await call(
    'POST',
    '/messages',
    JSON.parse(readFileSync(join(projectFolder, 'demo/message.json'), 'utf8')),
  );
  const mailingTo = (name, inDays) =>
    call('POST', '/mailings', {
      name,
      messageId: message.id,
      audience: 'all',
      startAt: new Date(Date.now() + inDays * 86_400_000).toISOString(),
      period: 'once',
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    });
  const mailing = await mailingTo('Demo mailing', 0);
  const excluded = await excludedAddresses(postgres.url, signIn.email);
  const { runId } = await call('POST', `/mailings/${mailing.id}/send`);
  const run = await watch(call, runId);
  const { sent, failed, skipped, total } = run.counts;
  say(
    `Run ${runId} is ${run.status}: ${sent} sent, ${failed} refused by the server, ` +
      `${skipped ? `${skipped} left out because they are excluded, ` : ''}of ${total}, ` +
      `in ${((Date.parse(run.finishedAt) - Date.parse(run.startedAt)) / 1000).toFixed(1)} s.`,
  );
  let right = run.status === 'done';
  if (mail) {
    right = await verify(postgres.url, runId, people, mail.counts(), excluded);
    const second = await mailingTo('Demo mailing, next week', 7);
    const leaving = addressesIn(people).filter((address, at) => unsubscribes(at) && !excluded.has(address));
    right = (await unsubscribe(call, { url, mail, runId, leaving, second })) && right;
  }

  say('');
  say(`  Gonets      ${url}`);
  say(`  Sign in     ${signIn.email}  ${signIn.password}`);
  if (mail) say(`  Inbox       ${mail.inboxUrl}`);
  say(`  API         ${url}/api/docs`);
  say(`  Logs        ${join('.data/demo/logs')}`);
  if (!exitAtEnd) say('\nCtrl-C stops it; the next start finds the data again.');
  return right;
}

async function watch(call, runId) {
  const bar = new cliProgress.SingleBar({
    format: 'Sending |{bar}| {value}/{total} | {sent} sent, {failed} refused, {deferred} to be tried again',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    noTTYOutput: true,
    notTTYSchedule: 2000,
  });
  bar.start(1, 0, { sent: 0, failed: 0, deferred: 0 });
  let run;
  do {
    await pause(200);
    run = await call('GET', `/runs/${runId}`);
    const { counts } = run;
    bar.setTotal(Math.max(1, counts.total));
    bar.update(counts.sent + counts.failed + counts.unknown + counts.skipped + counts.cancelled, counts);
  } while (!['done', 'cancelled'].includes(run.status));
  bar.stop();
  return run;
}

/**
 * These people unsubscribe by the link in their letter of this run. Whether the run's numbers and the check of a second
 * mailing say so afterwards.
 */
async function unsubscribe(call, { url, mail, runId, leaving, second }) {
  await Promise.all(leaving.map(async (address) => clickUnsubscribe(await mail.letterTo(address), url)));
  const check = await call('GET', `/mailings/${second.id}/preflight`);
  const { after } = await call('GET', `/runs/${runId}`);
  const leftOut = Object.values(check.excluded).reduce((sum, n) => sum + n, 0);
  const right = after.unsubscribed === leaving.length && check.chosen - check.eligible === leftOut;
  if (leaving.length > 0) say(`${leaving.length} people unsubscribed by the link in their letter.`);
  say(`“${second.name}” is not started: ${excludedInWords(check)}.`);
  if (!right) say(`  That does not add up: ${JSON.stringify({ after, leaving: leaving.length, check })}`);
  return right;
}

/** The addresses that get no mailing of this user, in lower case. */
async function excludedAddresses(databaseUrl, owner) {
  const rows = await query(
    databaseUrl,
    `SELECT email_key AS email FROM suppressions s
      WHERE lifted_at IS NULL AND mailing_id IS NULL AND (expires_at IS NULL OR expires_at > now())
        AND (owner_id IS NULL OR owner_id = (SELECT id FROM users WHERE email = $1))`,
    [owner],
  );
  return new Set(rows.map(({ email }) => email));
}

/** In lower case, in the order of the file. */
function addressesIn(csv) {
  /** @type {{ email: string }[]} */
  const rows = parse(csv, { columns: true, bom: true });
  return rows.map((row) => row.email.toLowerCase());
}

/** Whether ledger and mail server agree on everybody, and with what the server was told to do. */
async function verify(databaseUrl, runId, csv, counts, excluded) {
  const addresses = addressesIn(csv);
  const deliveries = await query(
    databaseUrl,
    `SELECT lower(d.email) AS email, d.status, d.attempts, count(a.id)::int AS tries,
            array_agg(DISTINCT a.worker_id) FILTER (WHERE a.id IS NOT NULL) AS workers
       FROM deliveries d LEFT JOIN attempts a ON a.delivery_id = d.id WHERE d.run_id = $1 GROUP BY d.id`,
    [runId],
  );
  const found = new Map(deliveries.map((delivery) => [delivery.email, delivery]));
  const wrong = [];
  for (const address of addresses) {
    const { verdict, deferrals } = excluded.has(address) ? EXCLUDED : scriptedVerdict(address);
    const delivery = found.get(address);
    const letters = counts.accepted[address] ?? 0;
    const seen = letters + (counts.refused[address] ?? 0) + (counts.deferred[address] ?? 0);
    const fits =
      delivery &&
      delivery.status === STATUS_OF[verdict] &&
      letters === (verdict === 'accept' ? 1 : 0) &&
      delivery.attempts === (verdict === 'nothing' ? 0 : deferrals + 1) &&
      delivery.tries === seen;
    if (!fits) wrong.push(`${address}: ${JSON.stringify(delivery)}, the server accepted ${letters} and saw ${seen}`);
  }
  const workers = new Set(deliveries.flatMap((delivery) => delivery.workers ?? []));
  for (const line of wrong.slice(0, 5)) say(`  ${line}`);
  if (workers.size < 2) say('  Only one worker sent letters.');
  const right = wrong.length === 0 && workers.size >= 2;
  say(
    right
      ? `Checked: every one of ${addresses.length} clients has exactly what the mail server says; ${workers.size} workers had a share.`
      : `${wrong.length} clients do not have what the mail server says.`,
  );
  return right;
}

/** The admin of the demo: made up at the first start, known to the next one. */
function rememberedSignIn() {
  const file = join(data, 'sign-in.json');
  if (!existsSync(file)) {
    const made = {
      email: 'admin@example.com',
      password: randomBytes(12).toString('base64url'),
      secretKey: randomBytes(36).toString('base64url'),
    };
    writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** @returns {Promise<Record<string, any>[]>} */
async function query(databaseUrl, text, values) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(text, values)).rows;
  } finally {
    await client.end();
  }
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
