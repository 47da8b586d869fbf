import type { INestApplicationContext } from '@nestjs/common';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Config } from '../../src/config/config.module';
import { WebModule } from '../../src/web/web.module';
import { PASSWORD, startApi, type TestApi } from './api';
import { Inbox } from './inbox';
import { startWorker } from './worker';

/** The whole service with a mail server that keeps what it gets, and a browser to look at it. */
export class Site {
  /** What pages complained of: scripts that failed, things that their policy forbade. */
  readonly complaints: string[] = [];

  private constructor(
    readonly inbox: Inbox,
    readonly api: TestApi,
    private readonly worker: INestApplicationContext,
    private readonly browser: Browser,
  ) {}

  static async start(more: Partial<Config> = {}): Promise<Site> {
    const inbox = await Inbox.start();
    const settings = {
      smtpUrl: inbox.url,
      registration: 'open',
      authAnswerMs: 1,
      schedulerIntervalMs: 500,
      ...more,
    } as const;
    const api = await startApi(settings, [WebModule]);
    const worker = await startWorker(api.config);
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    });
    return new Site(inbox, api, worker, browser);
  }

  /** A browser of its own: nobody is signed in. */
  async open(options: BrowserContextOptions = {}): Promise<{ context: BrowserContext; page: Page }> {
    const context = await this.browser.newContext({ baseURL: this.api.url, locale: 'en', ...options });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    page.on('pageerror', (error) => this.complaints.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      // That an answer was an error is said of those that tests ask for. The frames of letters run no script, and so none
      // of the browser's stopped clock. The one that shows a letter without pictures has a policy of its own for that.
      const isExpected =
        /^Failed to load resource|^Blocked script execution in '[^']*\/letter\.html'|^Loading the image '[^']*' violates [^"]*"img-src 'none'"/.test(
          message.text(),
        );
      if (message.type() === 'error' && !isExpected) this.complaints.push(`${page.url()}: ${message.text()}`);
    });
    return { context, page };
  }

  async signIn(page: Page, email: string): Promise<void> {
    await page.goto('/sign-in');
    await page.fill('[name=email]', email);
    await page.fill('[name=password]', PASSWORD);
    await page.click('main button');
    await page.waitForURL(`${this.api.url}/`);
  }

  /** Somebody with a browser of their own, signed in. */
  async visitor(email: string, options: BrowserContextOptions = {}) {
    const person = await this.api.person('user', email);
    const { context, page } = await this.open(options);
    await this.signIn(page, email);
    return { ...person, context, page };
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.worker.close();
    await this.api.close();
    await this.inbox.close();
  }
}
