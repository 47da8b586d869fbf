/**
 * `npm run screenshots`: starts everything on this machine with made-up data, and takes pictures of the main pages, on a
 * desktop and on a phone, into docs/screenshots/. `-- --to DIR` puts them elsewhere, `-- --all` takes every page, also dark
 * and in Russian.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare, projectFolder } from '../tools/embedded/install.mjs';

await prepare(import.meta.url);
const { chromium } = await import('playwright-core');
const { findChromium, startPostgres, startRedis } = await import('../tools/embedded/index.mjs');
const { freePort } = await import('../tools/embedded/service.mjs');
const { build, ready } = await import('./processes.mjs');
const { startDemoSmtp } = await import('../demo/smtp-server.mjs');

const { values } = parseArgs({ options: { to: { type: 'string' }, all: { type: 'boolean', default: false } } });
const folder = values.to ?? join(projectFolder, 'docs/screenshots');
const data = mkdtempSync(join(tmpdir(), 'gonets-screenshots-'));
const password = 'courier on a fast horse';
const children = [];
const parts = [];

try {
  mkdirSync(folder, { recursive: true });
  parts.push(
    await startPostgres({ dataDir: join(data, 'postgres') }),
    await startRedis({ dataDir: join(data, 'redis') }),
  );
  const smtp = await startDemoSmtp();
  parts.push(smtp);
  await build({ always: true });
  const port = await freePort(3100);
  const env = {
    ...process.env,
    DATABASE_URL: parts[0].url,
    REDIS_URL: parts[1].url,
    SMTP_URL: smtp.url,
    MAIL_FROM: 'Riverside Books <news@riverside.example>',
    SENDER_ADDRESS: 'Riverside Books, 7 Quay Street, Riverside',
    PREFLIGHT: 'off',
    PORT: String(port),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    RETRY_DELAYS_MS: '2000,3600000',
    RATE_LIMIT_PER_SECOND: '150',
    LOG_LEVEL: 'error',
  };
  const node = (args, options = {}) =>
    execFileSync(process.execPath, [join(projectFolder, 'dist/main.cli.js'), ...args], {
      env,
      encoding: 'utf8',
      ...options,
    });
  node(['migrate']);
  for (const [email, role, name] of [
    ['anna@riverside.example', 'admin', 'Anna Rivers'],
    ['boris@riverside.example', 'user', 'Борис Лугов'],
  ]) {
    node(['create-user', '--email', email, '--role', role, '--name', name, '--password-stdin'], { input: password });
  }
  const token = JSON.parse(
    node(['create-token', '--email', 'anna@riverside.example', '--name', 'screenshots', '--json']),
  ).token;
  for (const file of ['main.api.js', 'main.worker.js']) {
    children.push(
      spawn(process.execPath, [join(projectFolder, 'dist', file)], { env, stdio: ['ignore', 'ignore', 'inherit'] }),
    );
  }
  const url = `http://127.0.0.1:${port}`;
  await ready(url);
  await withBrowser(async (browser) => {
    if (values.all)
      await shoot(browser, url, 'empty', ['/', '/clients', '/messages', '/mailings', '/attempts', '/reports'], {
        schemes: ['light'],
      });
    const made = await fill(url, token);
    await shoot(
      browser,
      url,
      'page',
      pages(made),
      values.all ? { schemes: ['light', 'dark'], languages: ['en', 'ru'] } : {},
    );
  });
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map(async (child) => child.exitCode ?? (await once(child, 'exit'))));
  for (const part of parts.reverse()) await part.stop();
  rmSync(data, { recursive: true, force: true });
}

/** Clients from the demo's file, three messages, and mailings in every state, one of them under way. */
async function fill(url, token) {
  const call = async (method, path, body, headers = {}) => {
    const text = typeof body === 'string';
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': text ? 'text/csv' : 'application/json', ...headers },
      ...(body !== undefined && { body: text ? body : JSON.stringify(body) }),
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(`${method} ${path}: ${JSON.stringify(answer)}`);
    return answer;
  };
  const { importId } = await call(
    'POST',
    '/clients/import',
    readFileSync(join(projectFolder, 'demo/clients.csv'), 'utf8'),
  );
  const body = (text) =>
    `<!doctype html><html><head><style>body{margin:0;background:#f3efe6;font-family:Georgia,serif;color:#2b2620}.l{max-width:560px;margin:0 auto;background:#fff;padding:32px}h1{font-size:24px;color:#7a3b1d}a{color:#7a3b1d}</style></head><body><div class="l"><h1>Dear {{ client.fullName }},</h1>\n<p>${text}</p>\n<p><a href="https://riverside.example/">See all new books</a></p>\n<p>{{ sender.name }}</p></div></body></html>`;
  const messages = [];
  for (const [subject, text] of [
    [
      'New in April, {{ client.fullName }}',
      'Spring has brought forty new novels to our shelves, and three of them are signed by their authors.',
    ],
    ['Your weekly reading list', 'Every Monday we pick five books that we could not put down.'],
    ['We are open on Sundays now', 'Coffee from ten, readings at three.'],
  ]) {
    messages.push((await call('POST', '/messages', { subject, body: body(text) })).id);
  }
  const clients = (await call('GET', '/clients?limit=120')).items;
  const at = (days) => new Date(Date.now() + days * 86_400_000).toISOString();
  const mailing = (more) =>
    call('POST', '/mailings', { audience: 'all', startAt: at(-1), period: 'once', timeZone: 'Europe/Athens', ...more });
  const first = await mailing({
    name: 'April news',
    messageId: messages[0],
    audience: 'selected',
    clientIds: clients.map((c) => c.id),
  });
  await call('POST', `/mailings/${first.id}/send`);
  const weekly = await mailing({
    name: 'Reading list',
    messageId: messages[1],
    period: 'weekly',
    startAt: at(3),
    endAt: at(200),
  });
  await call('POST', `/mailings/${weekly.id}/start`);
  await mailing({ name: 'Sunday opening', messageId: messages[2], startAt: at(9) });
  const held = await mailing({ name: 'Monthly letter', messageId: messages[1], period: 'monthly', startAt: at(5) });
  await call('POST', `/mailings/${held.id}/start`);
  await call('POST', `/mailings/${held.id}/pause`);
  await until(async () => (await call('GET', `/mailings/${first.id}/runs`)).items[0]?.counts.pending === 0);
  const { items } = await call('GET', `/mailings/${first.id}/runs`);
  const failed = (await call('GET', `/runs/${items[0].id}/deliveries?status=failed`)).items[0];
  const big = await mailing({ name: 'Sunday opening, to everybody', messageId: messages[2] });
  await call('POST', `/mailings/${big.id}/send`);
  await until(async () => (await call('GET', `/mailings/${big.id}/runs`)).items[0]?.counts.sent > 150);
  return {
    importId,
    messageId: messages[0],
    mailingId: first.id,
    bigId: big.id,
    weeklyId: weekly.id,
    runId: items[0].id,
    clientId: failed?.client?.id ?? clients[0].id,
  };
}

function pages(made) {
  const main = [
    '/',
    '/mailings',
    `/mailings/${made.bigId}`,
    `/runs/${made.runId}?status=failed`,
    '/mailings/new',
    `/messages/${made.messageId}`,
    '/clients',
    `/clients/${made.clientId}`,
    '/reports',
  ];
  if (!values.all) return main;
  return [
    ...main,
    `/mailings/${made.mailingId}`,
    `/mailings/${made.weeklyId}`,
    '/attempts',
    '/messages',
    '/clients/import',
    `/clients/import/${made.importId}`,
    '/clients/new',
    '/users',
    '/users/2',
    '/account',
    '/audit',
    '/status',
    '/nowhere',
  ];
}

async function shoot(browser, url, prefix, paths, { schemes = ['light'], languages = ['en'] } = {}) {
  for (const language of languages) {
    for (const colorScheme of schemes) {
      for (const [size, viewport] of Object.entries({
        desktop: { width: 1360, height: 900 },
        phone: { width: 390, height: 844 },
      })) {
        const context = await browser.newContext({ viewport, colorScheme, locale: language, reducedMotion: 'reduce' });
        const page = await context.newPage();
        page.on('console', (message) => message.type() === 'error' && console.log(`${page.url()}: ${message.text()}`));
        page.on('pageerror', (error) => console.log(`${page.url()}: ${error.message}`));
        const suffix = `${size}${colorScheme === 'dark' ? '-dark' : ''}${language === 'ru' ? '-ru' : ''}`;
        await page.goto(`${url}/sign-in`);
        if (values.all) await page.screenshot({ path: join(folder, `sign-in-${suffix}.png`) });
        await page.fill('[name=email]', 'anna@riverside.example');
        await page.fill('[name=password]', password);
        await page.click('main button');
        await page.waitForURL(`${url}/`);
        if (languages.length > 1) {
          await page.goto(`${url}/account`);
          await page.selectOption('[name=language]', language);
          await page.click('form[action="/account"] button');
          await page.waitForLoadState('load');
        }
        for (const path of paths) {
          await page.goto(url + path);
          await page.waitForTimeout(path.startsWith('/messages/') ? 900 : 250);
          const name =
            path === '/' ? 'home' : path.slice(1).replace(/\?.*/, '').replace(/\/\d+/g, '-one').replaceAll('/', '-');
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          if (overflow > 0) console.log(`${path} ${suffix}: ${overflow} px too wide`);
          const extra =
            path === `/mailings/${path.split('/')[2]}` && paths.indexOf(path) > 3 ? `-${path.split('/')[2]}` : '';
          await page.screenshot({
            path: join(folder, `${prefix === 'empty' ? 'empty-' : ''}${name}${extra}-${suffix}.png`),
            fullPage: size === 'desktop' || values.all,
          });
        }
        await context.close();
      }
    }
  }
}

async function withBrowser(work) {
  const { executablePath, args, env } = await findChromium();
  const browser = await chromium.launch({ executablePath, args, env: { ...process.env, ...env } });
  try {
    await work(browser);
  } finally {
    await browser.close();
  }
}

async function until(done) {
  for (let i = 0; i < 300; i++) {
    if (await done()) return;
    await new Promise((wake) => setTimeout(wake, 100));
  }
  throw new Error('the made-up data did not get ready in time');
}
