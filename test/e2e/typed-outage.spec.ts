import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { messageBody } from '../support/factories';
import type { Program } from '../support/program';
import { ApiClient, cli, createTestService, startProcess, type TestService } from '../support/service';

/** The service is killed while somebody saves: what was typed is there when it is back. */

const [EMAIL, PASSWORD] = ['writer@example.org', 'correct horse battery'];
let service: TestService;
let env: NodeJS.ProcessEnv;
let url: string;
let api: Program;
let browser: Browser;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

beforeAll(async () => {
  service = await createTestService();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  env = { ...service.env, PORT: String(port), HOST: '127.0.0.1', PUBLIC_URL: url };
  api = await startProcess('api', env);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
});

afterAll(async () => {
  await browser.close();
  await api.kill();
  await service.drop();
});

const press = (page: Page, name: string) => page.locator('main').getByRole('button', { name }).first().click();

test('nothing is lost, whenever it is killed', async () => {
  const made = await cli(
    env,
    ['create-user', '--email', EMAIL, '--role', 'user', '--password-stdin', '--json'],
    PASSWORD,
  );
  expect(made.code).toBe(0);
  const { token } = JSON.parse(
    (await cli(env, ['create-token', '--email', EMAIL, '--name', 'test', '--json'])).out,
  ) as {
    token: string;
  };
  const client = new ApiClient(url, token);
  const { body } = await client.post<{ id: number }>('/messages', messageBody({ subject: 'Saved' }));
  const at = `/messages/${body.id}`;
  const subject = async () => (await client.get<{ subject: string }>(at)).body.subject;
  const page = await (await browser.newContext({ baseURL: url })).newPage();
  page.setDefaultTimeout(20_000);
  await page.goto('/sign-in');
  await page.fill('[name=email]', EMAIL);
  await page.fill('[name=password]', PASSWORD);
  await page.click('main button');
  await page.waitForURL(`${url}/`);

  // Before the form is sent: the page stays.
  await page.goto(at);
  await page.fill('[name=subject]', 'One');
  await api.kill();
  await press(page, 'Save');
  await page.locator('[data-kept-problem]').getByText('There is no connection').waitFor();
  expect(await page.inputValue('[name=subject]')).toBe('One');
  api = await startProcess('api', env);
  await press(page, 'Save');
  await page.locator('.flash').waitFor();
  expect(await subject()).toBe('One');

  // While the form itself is on its way: the browser shows that there is no answer.
  await page.fill('[name=subject]', 'Two');
  await page.route(`**${at}`, async (route) => {
    if (route.request().method() !== 'POST') return route.continue();
    await api.kill();
    return route.continue();
  });
  await press(page, 'Save');
  await page.waitForURL(/chrome-error/).catch(() => undefined);
  await page.unroute(`**${at}`);
  api = await startProcess('api', env);
  expect(await subject()).toBe('One');
  await page.goto(at);
  await page.locator('.kept-bar').waitFor();
  expect(await page.inputValue('[name=subject]')).toBe('Two');
  await press(page, 'Save');
  await page.locator('.flash').waitFor();
  expect(await subject()).toBe('Two');
  expect(await page.locator('.kept-bar').count()).toBe(0);
});
