import { existsSync } from 'node:fs';
import { FaultRig } from '../support/fault-rig';
import { Inbox } from '../support/inbox';

const LIBFAKETIME = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketime.so.1`;

/** Needs Debian's libfaketime: workers whose whole process believes in another time. */
it.each(['+2h', '-2h'])("a worker's own clock, %s, does not show in its letters", async (FAKETIME) => {
  if (!existsSync(LIBFAKETIME)) throw new Error('Install the Debian package libfaketime.');
  const rig = await FaultRig.start();
  const inbox = await Inbox.start();
  try {
    await rig.reset();
    await rig.startWorker({ SMTP_URL: inbox.url, LD_PRELOAD: LIBFAKETIME, FAKETIME, DONT_FAKE_MONOTONIC: '1' });
    await rig.send(await rig.mailing(['ok-', 'ok-']));
    await rig.eventually(() => inbox.letters.length === 2, 60_000, 'two letters');
    for (const { mail } of inbox.letters)
      expect(Math.abs((mail.date?.getTime() ?? 0) - Date.now())).toBeLessThan(10 * 60_000);
  } finally {
    await rig.stop();
    await inbox.close();
  }
});
