import { ImapServer } from '../support/imap-server';
import { faultsOf } from '../support/faults';
import { dsn } from '../support/inbound-letters';
import { INBOUND_SETTINGS, type SentLetter, sentTo } from '../support/inbound-rig';
import { eventually } from '../support/service';
import { Site } from '../support/site';

/** A mailbox for letters that come back, read by a worker, on the pages. */

let imap: ImapServer;
let site: Site;
beforeAll(async () => {
  imap = await ImapServer.start();
  site = await Site.start({ ...INBOUND_SETTINGS, bounceMailboxUrl: imap.url(), heartbeatMs: 200 });
});
afterAll(async () => {
  await site?.stop();
  await imap?.stop();
});

test('a letter of the mailbox is shown with what it is, and the status page says whether the mailbox is read', async () => {
  const admin = await site.api.person('admin');
  const [letter] = (await sentTo(site.api, admin.id, ['gone@client.example'])) as [SentLetter];
  const head = `Return-Path: <>\r\nDelivered-To: ${letter.returnPair.bounce}\r\n`;
  const report = dsn({ final: `rfc822; ${letter.email}`, status: '5.1.1' });
  imap.deliver(Buffer.concat([Buffer.from(head), report]));
  const judged = () => site.api.database.first('SELECT id FROM inbound_letters WHERE judged_at IS NOT NULL');
  await eventually(judged, 'judging');

  const { page } = await site.open({ viewport: { width: 320, height: 740 } });
  await site.signIn(page, admin.email);
  const main = page.locator('main');
  await page.goto('/inbound');
  await page.locator('#results a').first().click();
  expect(await main.innerText()).toContain('from a mailbox (IMAP)');

  const box = page.locator('section[aria-labelledby=mailbox]');
  const status = async (name: string, said: string) => {
    const isSaid = async () => {
      await page.goto('/status');
      return (await box.innerText()).includes(said);
    };
    await eventually(isSaid, said);
    expect(await box.innerText()).toContain('127.0.0.1, INBOX');
    expect(await faultsOf(page)).toEqual([]);
    if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/mailbox-${name}.png`, fullPage: true });
  };
  await status('read', 'It is being read');
  imap.password = 'another';
  imap.dropAll();
  await status('refused', 'its mail server refuses the user or the password.');
  expect(site.complaints).toEqual([]);
});
