/**
 * `lighthouse`: what Lighthouse says of the main pages on its slowed-down phone: performance, accessibility, best practices.
 * Exits with 1 if a page is below 90 in performance or below 100 in accessibility.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findChromium } from '../tools/embedded/index.mjs';
import { fill } from './pages-data.mjs';
import { median, round, say, setStage, startApi } from './stage.mjs';

export const options = {
  clients: { type: 'string', default: '20000' },
  attempts: { type: 'string', default: '100000' },
  runs: { type: 'string', default: '3' },
};

const LEAST = { performance: 90, accessibility: 100 };
const CATEGORIES = ['performance', 'accessibility', 'best-practices'];
const VERSION = '12.8.2';
/** Not known to the type check, since it need not be there. @type {string} */
const PACKAGE = 'lighthouse';
const HOW_TO_INSTALL = `Lighthouse was not found. It is no dependency, because only this needs it:
  npm install --no-save --ignore-scripts lighthouse@${VERSION}`;

export async function run(args, { print }) {
  const lighthouse = await load();
  const [clients, attempts, runs] = ['clients', 'attempts', 'runs'].map((k) => Number(args[k]));
  const stage = await setStage({ env: { API_CALLS_PER_MINUTE: '1000000' } });
  const browser = await startChromium();
  try {
    const { big: token } = await fill(stage, clients, attempts);
    const api = await startApi(stage, token);
    await print.head(
      stage,
      `${round(clients)} clients, ${round(attempts)} attempts, median of ${runs}, Lighthouse ${VERSION}`,
    );
    const [mailing] = (await api.call('GET', '/mailings')).items;
    const [message] = (await api.call('GET', '/messages')).items;
    const pages = {
      home: '/',
      mailing: `/mailings/${mailing.id}`,
      message: `/messages/${message.id}`,
      reports: '/reports',
      clients: '/clients',
    };
    const rows = [];
    for (const [name, path] of Object.entries(pages)) {
      const scores = [];
      for (let n = 0; n < runs; n++) {
        say(`${name}, ${n + 1} of ${runs}`);
        scores.push(await lighthouse.score(api.base + path, token, browser.port));
      }
      rows.push({
        name,
        ...Object.fromEntries(CATEGORIES.map((one) => [one, median(scores.map((score) => score[one]))])),
      });
    }
    say('');
    print.table([['', ...CATEGORIES], ...rows.map((row) => [row.name, ...CATEGORIES.map((one) => String(row[one]))])]);
    const low = rows.filter((row) => Object.entries(LEAST).some(([one, least]) => row[one] < least));
    if (low.length > 0) process.exitCode = 1;
    return rows.map((row) => `${row.name} ${CATEGORIES.map((one) => row[one]).join('/')}`).join(', ');
  } finally {
    await browser.stop();
    await stage.end();
  }
}

async function load() {
  const found = await import(PACKAGE).catch(() => null);
  if (!found) {
    process.stderr.write(`${HOW_TO_INSTALL}\n`);
    process.exit(1);
  }
  /** The scores of one page, 0 to 100. */
  const score = async (url, token, port) => {
    const extraHeaders = { authorization: `Bearer ${token}` };
    const { lhr } = await found.default(url, { port, extraHeaders, onlyCategories: CATEGORIES, logLevel: 'error' });
    if (lhr.runtimeError) throw new Error(`${url}: ${lhr.runtimeError.message}`);
    for (const audit of Object.values(lhr.audits))
      if (process.env.BENCH_VERBOSE && audit.score !== null && audit.score < 0.9)
        process.stderr.write(`  ${audit.id} ${audit.score} ${audit.displayValue ?? ''}\n`);
    return Object.fromEntries(CATEGORIES.map((one) => [one, Math.round(100 * (lhr.categories[one]?.score ?? 0))]));
  };
  return { score };
}

/** The project's Chromium, without a window, to be told what to do on a port. */
async function startChromium() {
  const { executablePath, args } = await findChromium();
  const profile = mkdtempSync(join(tmpdir(), 'gonets-lighthouse-'));
  const all = [...args, '--headless=new', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'];
  const child = spawn(executablePath, all, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (data) => (said += data));
  const port = await new Promise((resolve, reject) => {
    const look = setInterval(() => {
      const told = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//.exec(said);
      if (!told) return;
      clearInterval(look);
      resolve(Number(told[1]));
    }, 50);
    child.once('exit', () => {
      clearInterval(look);
      reject(new Error(`Chromium ended by itself: ${said.slice(-500)}`));
    });
  });
  return {
    port,
    async stop() {
      const ended = once(child, 'exit');
      child.kill();
      await Promise.race([ended, sleep(5_000)]);
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
