import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import MailComposer from 'nodemailer/lib/mail-composer';
import { reasonText } from '../../src/domain/footer';
import type { Language } from '../../src/domain/language';
import { checkDocument } from '../../src/domain/letter-document/check';
import { picturePath } from '../../src/domain/letter-document/links';
import { startersOf } from '../../src/domain/letter-document/starters';
import { DEFAULT_BRAND } from '../../src/domain/letter-document/theme';
import { documentToMjml } from '../../src/domain/letter-document/to-mjml';
import { documentToText } from '../../src/domain/letter-document/to-text';
import { compileContent, type RenderedContent } from '../../src/domain/template';
import { LetterHtml } from '../../src/mjml/letter-html.service';
import { askSpamd } from '../../src/spamd/spamd';
import { eventually } from '../support/service';

/** SpamAssassin's own daemon, asked by its protocol. Needs Debian's spamd. */

describe('spamd', () => {
  const home = mkdtempSync(join(tmpdir(), 'spamd-'));
  let daemon: ChildProcess;
  let address: string;

  beforeAll(async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    address = `127.0.0.1:${port}`;
    const args = ['-L', '-x', '-s', 'stderr', '-u', 'nobody', '-i', '127.0.0.1', '-p', String(port), '-m', '1'];
    daemon = spawn('/usr/sbin/spamd', args, { stdio: 'ignore', env: { PATH: process.env.PATH, HOME: home } });
    await eventually(() => askSpamd(address, letter('Hello'), 60_000), 'an answer of spamd');
  });
  afterAll(async () => {
    daemon.kill();
    await once(daemon, 'exit');
    rmSync(home, { recursive: true });
  });

  const letter = (body: string) =>
    Buffer.from(
      `From: a@shop.example\r\nTo: b@client.example\r\nSubject: News\r\nDate: ${new Date().toUTCString()}\r\n` +
        `Message-ID: <1@shop.example>\r\n\r\n${body}\r\n`,
    );

  it('gives a letter a score, and names its rules', async () => {
    const gtube = 'XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X';
    const spam = await askSpamd(address, letter(gtube), 60_000);
    expect(spam!.score).toBeGreaterThan(900);
    expect(spam!.tests).toContain('GTUBE');
    expect((await askSpamd(address, letter('Hello, Ben. Here is the news.'), 60_000))!.score).toBeLessThan(5);
  });

  it.each(['en', 'ru'] as const)('gives the letters to begin with, in %s, less than one point', async (language) => {
    const html = new LetterHtml();
    try {
      for (const { id, subject, document } of startersOf(language)) {
        const checked = checkDocument(document, []);
        if (!checked.ok) throw new Error(id);
        const around = { subject, preheader: document.preheader, brand: DEFAULT_BRAND, sender: 'Shop' };
        const pictureUrl = (src: string) => `https://mail.shop.example${picturePath(src)}`;
        const body = await html.make(documentToMjml(checked.doc, { ...around, pictureUrl }));
        const compiled = compileContent({ subject, body, bodyText: documentToText(checked.doc) }, language);
        if (!compiled.ok) throw new Error(id);
        const { score, tests } = (await askSpamd(
          address,
          await mail(compiled.content.render(dataIn(language))),
          60_000,
        ))!;
        expect([id, tests.join(), score < 1]).toEqual([id, tests.join(), true]);
      }
    } finally {
      await html.onModuleDestroy();
    }
  });

  const mail = ({ subject, html, text }: RenderedContent): Promise<Buffer> =>
    new MailComposer({
      from: 'Shop <a@shop.example>',
      to: 'Ann Miller <b@client.example>',
      subject,
      html,
      text,
      messageId: '<1@shop.example>',
      headers: {
        'List-Unsubscribe': `<${UNSUBSCRIBE}>`,
        'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
      },
    })
      .compile()
      .build();
});

const UNSUBSCRIBE = 'https://mail.shop.example/u/abc';
/** What a letter of this language says: some rules count the letters of two alphabets. */
const dataIn = (language: Language) => ({
  client: { fullName: language === 'ru' ? 'Анна Милова' : 'Ann Miller', email: 'b@client.example', comment: '' },
  mailing: { name: '' },
  sender: { name: 'Shop', email: 'a@shop.example' },
  date: '2027-03-31T09:00:00Z',
  unsubscribeUrl: UNSUBSCRIBE,
  senderAddress: language === 'ru' ? 'Москва, Садовая улица, 1' : '1 Main Street, Springfield',
  footerText: reasonText(language, 'Shop'),
});
