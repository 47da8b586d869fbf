/**
 * `lighthouse`: what Lighthouse says of the main pages on a phone (a slow processor, 1.6 Mbit/s, 150 ms). Exits with 1 if
 * a page has less than 90 of 100 points for its speed or its accessibility. Lighthouse is no dependency: npx fetches it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chromium } from 'playwright-core';
import { findChromium } from '../tools/embedded/index.mjs';
import { freePort } from '../tools/embedded/service.mjs';
import { cli, median, say, setStage, startApi, startWorkers } from './stage.mjs';

export const options = { runs: { type: 'string', default: '3' } };

const LIGHTHOUSE = 'lighthouse@13.5.0';
const BUDGET = 90;
const CATEGORIES = ['performance', 'accessibility'];
const EMAIL = 'owner@example.org';

export async function run({ runs }, { print }) {
  const stage = await setStage();
  const { executablePath, args, env } = await findChromium();
  const port = await freePort();
  const browser = await chromium.launch({
    executablePath,
    args: [...args, `--remote-debugging-port=${port}`],
    env: { ...process.env, ...env },
  });
  try {
    const { api, cookie, paths } = await prepare(stage);
    await print.head(stage, `${LIGHTHOUSE}, Chromium ${browser.version()}, median of ${runs}`);
    const found = [];
    for (const [name, path] of Object.entries(paths)) {
      const points = Object.fromEntries(CATEGORIES.map((category) => [category, []]));
      for (let n = 0; n < Number(runs); n++) {
        say(`${name}, ${n + 1} of ${runs}`);
        const { categories } = await ask(api.base + path, port, cookie);
        for (const category of CATEGORIES) points[category].push(Math.round(categories[category].score * 100));
      }
      found.push({ name, points: CATEGORIES.map((category) => median(points[category])) });
    }
    say('');
    print.table([['', ...CATEGORIES], ...found.map(({ name, points }) => [name, ...points.map(String)])]);
    if (found.some(({ points }) => points.some((n) => n < BUDGET))) process.exitCode = 1;
    return found.map(({ name, points }) => `${name} ${points.join('/')}`).join(', ');
  } finally {
    await browser.close();
    await stage.end();
  }
}

/** Somebody with clients, a message and a mailing that went out, signed in. */
async function prepare(stage) {
  await cli(stage, 'create-user', '--email', EMAIL, '--role', 'user', '--json');
  const { token } = JSON.parse(await cli(stage, 'create-token', '--email', EMAIL, '--name', 'bench', '--json'));
  const api = await startApi(stage, token);
  await startWorkers(stage, 1);
  for (let n = 0; n < 60; n++)
    await api.call('POST', '/clients', { email: `client-${n}@example.net`, fullName: `Client ${n}` });
  const { id: messageId } = await api.call('POST', '/messages', {
    subject: 'News for {{ client.fullName }}',
    body: '<h1>Dear {{ client.fullName }}</h1><p>Forty new books have come.</p>',
  });
  const { id } = await api.call('POST', '/mailings', {
    name: 'News',
    messageId,
    audience: 'all',
    startAt: new Date(Date.now() - 60_000).toISOString(),
    period: 'once',
    timeZone: 'Europe/Athens',
  });
  const { runId } = await api.call('POST', `/mailings/${id}/send`);
  while ((await api.call('GET', `/runs/${runId}`)).status !== 'done')
    await new Promise((wake) => setTimeout(wake, 200));
  const paths = { home: '/', mailing: `/mailings/${id}`, message: `/messages/${messageId}`, reports: '/reports' };
  return { api, cookie: await signIn(stage, api), paths };
}

/** The cookie of a session. The user has no password: the session is put into the database. */
async function signIn(stage, api) {
  const { createHash, randomBytes } = await import('node:crypto');
  const sessionToken = randomBytes(32).toString('base64url');
  await stage.query(
    `INSERT INTO sessions (user_id, token_hash, ip, user_agent, expires_at)
     SELECT id, $1, '127.0.0.1', 'bench', now() + interval '1 hour' FROM users WHERE email = $2`,
    [createHash('sha256').update(sessionToken).digest(), EMAIL],
  );
  const cookie = `gonets=${sessionToken}`;
  const answer = await fetch(`${api.base}/account`, { headers: { cookie }, redirect: 'manual' });
  if (answer.status !== 200) throw new Error(`the session is not taken: ${answer.status}`);
  return cookie;
}

/** Lighthouse's report of one page. */
async function ask(url, port, cookie) {
  const child = spawn(
    'npx',
    [
      '--yes',
      LIGHTHOUSE,
      url,
      `--port=${port}`,
      `--only-categories=${CATEGORIES.join(',')}`,
      `--extra-headers=${JSON.stringify({ Cookie: cookie })}`,
      '--output=json',
      '--quiet',
      '--no-enable-error-reporting',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`Lighthouse ended with ${code}`);
  return JSON.parse(output);
}
