import { createHash } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import type { Transaction } from '../../src/database/database';
import { removeIfUnused } from '../../src/features/messages/media-uses';
import { UnusedFiles } from '../../src/features/messages/unused-files.service';
import { UploadPlaces } from '../../src/http/upload-places';
import { StoredObjects } from '../../src/storage/stored-objects';
import { WebModule } from '../../src/web/web.module';
import { type Person, startApi, type TestApi } from '../support/api';
import { messageBody } from '../support/factories';
import {
  animatedGif,
  fileForm,
  noisyPng,
  photograph,
  png,
  seeThroughPng,
  seeThroughWebp,
  webp,
} from '../support/pictures';

interface Shown {
  id: number;
  hash: string;
  url: string;
  type: string;
  width: number;
  height: number;
  bytes: number;
  alt: string;
  name: string;
  code: string;
  errors: { field: string; code: string; message: string }[];
  uses: { kind: string; id: number; name: string }[];
}

let api: TestApi;
let ann: Person;
let bob: Person;

beforeAll(async () => {
  api = await startApi({ mediaPerUserMb: 5 }, [WebModule]);
  ann = await api.person();
  bob = await api.person();
});
afterAll(() => api.close());

async function upload(bytes: Uint8Array, { name = 'a.jpg', by = ann, fields = {} } = {}) {
  const response = await fetch(`${api.url}/api/v1/media`, {
    method: 'POST',
    headers: { authorization: `Bearer ${by.token}` },
    body: fileForm(bytes, name, fields),
  });
  return { status: response.status, body: (await response.json()) as Shown };
}

const served = async (hash: string, init: RequestInit = {}) => {
  const response = await fetch(`${api.url}/media/${hash}`, init);
  return { response, bytes: Buffer.from(await response.arrayBuffer()) };
};
const stored = () => api.database.rows<{ key: string }>('SELECT key FROM stored_objects ORDER BY key');
const problemOf = ({ body }: { body: Shown }) => body.errors?.map(({ field, code }) => `${field} ${code}`).join();

describe('a picture that is uploaded', () => {
  it('is turned upright, made smaller, and says nothing of where it was taken', async () => {
    const { status, body } = await upload(await photograph(), { name: 'Отпуск.jpg', fields: { alt: 'The sea' } });
    expect(status).toBe(201);
    expect(body).toMatchObject({ type: 'image/jpeg', width: 1200, height: 1800, alt: 'The sea', name: 'Отпуск.jpg' });
    expect(body.url).toBe(`http://localhost:3000/media/${body.hash}`);
    const { bytes } = await served(body.hash);
    expect(bytes.length).toBe(body.bytes);
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(body.hash);
    const { exif, orientation, icc, xmp } = await sharp(bytes).metadata();
    expect([exif, orientation, icc, xmp]).toEqual([undefined, undefined, undefined, undefined]);
    expect(bytes.includes('Somebody')).toBe(false);
  });

  it.each([
    ['a small PNG stays PNG', () => png(), 'image/png'],
    ['what can be seen through stays so', () => seeThroughPng(), 'image/png'],
    ['a photograph in PNG becomes JPEG', () => noisyPng(), 'image/jpeg'],
    ['WebP becomes JPEG', () => webp(), 'image/jpeg'],
    ['WebP that can be seen through becomes PNG', () => seeThroughWebp(), 'image/png'],
    ['GIF stays GIF', () => animatedGif(1), 'image/gif'],
  ])('%s, whatever its name says', async (_, make, type) => {
    const { body } = await upload(await make(), { name: 'picture.tiff' });
    expect(body.type).toBe(type);
    const { response, bytes } = await served(body.hash);
    expect(response.headers.get('content-type')).toBe(type);
    const { format, hasAlpha } = await sharp(bytes).metadata();
    expect(`image/${format}`).toBe(type);
    if (/seen through/.test(_)) expect(hasAlpha).toBe(true);
  });

  it('goes on moving if it moved, with its size made smaller', async () => {
    const { body } = await upload(await animatedGif(4, 1_500, 300));
    expect(body).toMatchObject({ type: 'image/gif', width: 1200, height: 240 });
    const { pages, delay } = await sharp((await served(body.hash)).bytes, { animated: true }).metadata();
    expect([pages, delay]).toEqual([4, [80, 80, 80, 80]]);
  });

  it('loses what stands behind it', async () => {
    const { body } = await upload(Buffer.concat([await png(44, 33), Buffer.from('<script>alert(1)</script>')]));
    expect((await served(body.hash)).bytes.includes('script')).toBe(false);
  });

  it.each<[string, () => Promise<Buffer> | Buffer, string]>([
    ['nothing', () => Buffer.alloc(0), 'file picture_empty'],
    ['SVG', () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'file picture_type'],
    ['HTML', () => Buffer.from('<!doctype html><script>alert(1)</script>'), 'file picture_type'],
    [
      'TIFF',
      () =>
        sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
          .tiff()
          .toBuffer(),
      'file picture_type',
    ],
    ['half a picture', async () => (await photograph()).subarray(0, 30_000), 'file picture_broken'],
    ['a beginning and nothing else', () => Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), 'file picture_broken'],
    ['a GIF of words', () => Buffer.from('GIF89a=1;<script>alert(1)</script>'), 'file picture_broken'],
    ['more than 10 MB', () => Buffer.alloc(10 * 1024 * 1024 + 1, 'a'), 'file picture_too_large'],
    ['a bomb', () => bomb(), 'file picture_pixels'],
    ['one of 16 bits', () => deepPng(), 'file picture_pixels'],
    ['a JPEG that is drawn a hundred thousand times', () => manyScans(), 'file picture_broken'],
    ['an animation that is one', () => animatedGif(40, 1_000, 900), 'file picture_pixels'],
    ['AVIF', () => avif(), 'file picture_type'],
  ])('%s is refused', async (_, make, problem) => {
    const before = (await stored()).length;
    const answer = await upload(await make());
    expect([answer.status, problemOf(answer)]).toEqual([400, problem]);
    if (/type|broken/.test(problem)) expect(answer.body.errors[0]?.message).toContain('JPEG, PNG, GIF or WebP');
    expect(await stored()).toHaveLength(before);
  });

  it('is refused without a file, and as another body', async () => {
    const form = new FormData();
    form.append('alt', 'x');
    const ask = (body: BodyInit, headers = {}) =>
      fetch(`${api.url}/api/v1/media`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ann.token}`, ...headers },
        body,
      });
    const [none, json] = [await ask(form), await ask('{}', { 'content-type': 'application/json' })];
    expect([none.status, json.status]).toEqual([400, 415]);
    expect(problemOf({ body: (await none.json()) as Shown })).toBe('file file_missing');
  });

  it('is taken from a script of our pages with the token of the session, and not without', async () => {
    const { cookie, csrf } = await api.signIn(ann.email);
    const ask = async (headers: Record<string, string>) =>
      (
        await fetch(`${api.url}/api/v1/media`, {
          method: 'POST',
          headers: { cookie, ...headers },
          body: fileForm(await png(), 'a.png'),
        })
      ).status;
    expect([await ask({ 'x-csrf-token': csrf }), await ask({})]).toEqual([201, 403]);
  });

  it('counts against the room of its owner', async () => {
    const eve = await api.person();
    const heavy = async () => upload(await noisyGif(), { by: eve });
    expect((await heavy()).status).toBe(201);
    const answer = await heavy();
    expect([answer.status, answer.body.code]).toEqual([409, 'MEDIA_FULL']);
  });
});

describe('a picture that is served', () => {
  it('needs no sign-in, is kept for ever, and is never a page', async () => {
    const { body } = await upload(await png(41, 31));
    for (const name of [body.hash, `${body.hash}.png`]) {
      const { response } = await served(name);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'image/png',
        'cache-control': 'public, max-age=31536000, immutable',
        'content-security-policy': "default-src 'none'; sandbox",
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'cross-origin',
        etag: `"${body.hash}"`,
      });
      expect(response.headers.get('set-cookie')).toBeNull();
    }
    const same = await served(body.hash, { headers: { 'if-none-match': `"${body.hash}"` } });
    expect([same.response.status, same.bytes.length]).toEqual([304, 0]);
    const head = await served(body.hash, { method: 'HEAD' });
    expect([head.response.status, head.response.headers.get('content-length'), head.bytes.length]).toEqual([
      200,
      String(body.bytes),
      0,
    ]);
  });

  it.each(['0'.repeat(64), 'x', `${'0'.repeat(64)}.html`, '..%2f..%2fetc%2fpasswd'])(
    'is not there: %s',
    async (name) => {
      const { response } = await served(name);
      expect([response.status, response.headers.get('content-type')]).toEqual([404, 'text/plain; charset=utf-8']);
    },
  );
});

describe('two users with the same picture', () => {
  it('share its bytes, and each sees and deletes their own', async () => {
    const file = await png(42, 32);
    const before = (await stored()).length;
    const [first, again, second] = [await upload(file), await upload(file), await upload(file, { by: bob })];
    expect(again.body.id).toBe(first.body.id);
    expect(second.body.hash).toBe(first.body.hash);
    expect(second.body.id).not.toBe(first.body.id);
    expect(await stored()).toHaveLength(before + 1);
    const remove = (id: number, { token }: Person) => api.call('DELETE', `/api/v1/media/${id}`, { token });
    expect((await remove(first.body.id, bob)).status).toBe(404);
    expect((await remove(first.body.id, ann)).status).toBe(204);
    expect(await stored()).toHaveLength(before + 1);
    expect((await remove(second.body.id, bob)).status).toBe(204);
    expect(await stored()).toHaveLength(before);
    const hashes = async ({ token }: Person) =>
      (await api.call('GET', '/api/v1/media?limit=200', { token })).body.items.map(({ hash }) => hash);
    expect(await hashes(ann)).not.toContain(first.body.hash);
  });
});

describe('a picture that a message shows', () => {
  const message = (body: string) =>
    api.call('POST', '/api/v1/messages', { token: ann.token, body: messageBody({ subject: 'Autumn', body }) });

  it('is not deleted as long as it does; letters that were sent go on showing it', async () => {
    const { body } = await upload(await png(43, 33));
    const { id } = (await message(`<img src="${body.url}" alt="">`)).body;
    const remove = () => api.call('DELETE', `/api/v1/media/${body.id}`, { token: ann.token });
    const refused = await remove();
    expect([refused.status, refused.body.code, refused.body.uses]).toEqual([
      409,
      'MEDIA_IN_USE',
      [{ kind: 'message', id, name: 'Autumn' }],
    ]);
    const mailing = await api.make.mailing({ ownerId: ann.id, messageId: id });
    await api.database.affected(
      `INSERT INTO runs (mailing_id, owner_id, trigger, status, on_unknown, body)
       SELECT $1, owner_id, 'demand', 'planning', 'hold', body FROM messages WHERE id = $2`,
      [mailing, id],
    );
    await api.call('PATCH', `/api/v1/messages/${id}`, { token: ann.token, body: { body: '<p>None</p>' } });
    expect((await remove()).status).toBe(204);
    expect((await served(body.hash)).response.status).toBe(200);
    expect(await api.database.rows('SELECT FROM media WHERE hash = $1', [body.hash])).toHaveLength(1);
  });

  it('stays; what nothing shows for 30 days is removed with its bytes', async () => {
    const [used, unused, young] = [
      await upload(await png(45, 33)),
      await upload(await png(46, 33)),
      await upload(await png(47, 33)),
    ];
    await message(`<img src="media:${used.body.hash}" alt="">`);
    await api.database.affected(`UPDATE media SET used_at = now() - interval '31 days' WHERE hash = ANY($1)`, [
      [used.body.hash, unused.body.hash],
    ]);
    const before = (await stored()).length;
    await api.app.get(UnusedFiles, { strict: false }).remove();
    expect(await stored()).toHaveLength(before - 1);
    const left = (await api.call('GET', '/api/v1/media?limit=200', { token: ann.token })).body.items.map(
      ({ id }) => id,
    );
    expect([used, unused, young].map(({ body }) => left.includes(body.id))).toEqual([true, false, true]);
  });

  it('stays as long as it is a logo, and 30 days longer; nobody deletes it as that', async () => {
    const { body } = await upload(await png(48, 33));
    await old(body.hash);
    const set = (logo: string) => api.call('PATCH', '/api/v1/sender', { token: ann.token, body: { logo } });
    for (const logo of [`media:${body.hash}`, `https://mail.example.com/media/${body.hash}`]) {
      expect((await set(logo)).status).toBe(200);
      await old(body.hash);
      await remover().remove();
      expect((await served(body.hash)).response.status).toBe(200);
      const refused = await api.call('DELETE', `/api/v1/media/${body.id}`, { token: ann.token });
      expect([refused.status, refused.body.code]).toEqual([409, 'MEDIA_IN_USE']);
    }
    await set('');
    await remover().remove();
    expect(await there(body.hash)).toBe(true);
    await old(body.hash);
    await remover().remove();
    expect(await there(body.hash)).toBe(false);
  });

  it.each<[string, (tx: Transaction, hash: string) => Promise<unknown>]>([
    ['a message', (tx, hash) => tx.affected(`UPDATE messages SET body = 'media:' || $2 WHERE id = $1`, [shows, hash])],
    [
      'a logo',
      (tx, hash) =>
        tx.affected(
          `INSERT INTO senders (owner_id, logo) VALUES ($1, 'media:' || $2::text) ON CONFLICT (owner_id) DO UPDATE SET logo = excluded.logo`,
          [bob.id, hash],
        ),
    ],
  ])('stays if %s begins to show it while it is being removed', async (_, begin) => {
    shows = (await message('<p>None</p>')).body.id;
    const { body } = await upload(await png(49, 30 + ++sizes));
    await old(body.hash);
    let removed: Promise<void> = Promise.resolve();
    await api.database.transaction(async (tx) => {
      await begin(tx, body.hash);
      removed = remover().remove();
      await somebodyWaits();
    });
    await removed;
    expect(await there(body.hash)).toBe(true);
    expect((await served(body.hash)).response.status).toBe(200);
  });

  it('is stored anew if it is uploaded while it is being removed', async () => {
    const file = await png(50, 33);
    const { body } = await upload(file);
    await api.database.affected('DELETE FROM pictures WHERE hash = $1', [body.hash]);
    let key = '';
    let again: ReturnType<typeof upload> | undefined;
    await api.database.transaction(async (tx) => {
      key = (await removeIfUnused(tx, body.hash))!;
      again = upload(file, { by: bob });
      await somebodyWaits();
    });
    await api.app.get(StoredObjects, { strict: false }).remove(key);
    expect((await again)?.status).toBe(201);
    expect(await there(body.hash)).toBe(true);
    expect((await stored()).filter((one) => one.key.includes(body.hash))).toHaveLength(1);
    expect((await stored()).map((one) => one.key)).not.toContain(key);
  });

  let shows = 0;
  let sizes = 0;
  const remover = () => api.app.get(UnusedFiles, { strict: false });
  const old = (hash: string) =>
    api.database.affected(`UPDATE media SET used_at = now() - interval '31 days' WHERE hash = $1`, [hash]);
  const there = async (hash: string) =>
    (await api.database.rows('SELECT FROM media WHERE hash = $1', [hash])).length === 1;
  /** Until a statement of this database waits for a lock. */
  const somebodyWaits = async () => {
    for (;;) {
      const waiting = await api.database.rows(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      if (waiting.length > 0) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
});

describe('too many files at once', () => {
  it('are refused before they are read: of one user with 429, of all with 503; later they are taken', async () => {
    const places = api.app.get(UploadPlaces, { strict: false });
    let open = () => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    const work = [ann, ann, ann, ann, bob, bob, bob].map(({ id }) => places.take(id, () => gate));
    const one = await png();
    const ask = async (by: Person) => {
      const response = await fetch(`${api.url}/api/v1/media`, {
        method: 'POST',
        headers: { authorization: `Bearer ${by.token}` },
        body: fileForm(one, 'a.png'),
      });
      const { code } = (await response.json()) as { code?: string };
      return [response.status, code, response.headers.get('retry-after')];
    };
    expect(await ask(ann)).toEqual([429, 'RATE_LIMITED', '5']);
    expect((await ask(bob))[0]).toBe(201);
    work.push(places.take(bob.id, () => gate));
    expect(await ask(await api.person())).toEqual([503, 'BUSY', '5']);
    open();
    await Promise.all(work);
    expect((await ask(ann))[0]).toBe(201);
  });
});

/** Of 26 million pixels, each of six bytes. */
const deepPng = () =>
  sharp({ create: { width: 5_200, height: 5_000, channels: 3, background: 'red' } })
    .toColourspace('rgb16')
    .png()
    .toBuffer();

/** The last scan of a progressive one again and again: each costs a walk over all its pixels. */
async function manyScans(): Promise<Buffer> {
  const jpeg = await sharp({ create: { width: 3_000, height: 3_000, channels: 3, background: 'red' } })
    .jpeg({ progressive: true })
    .toBuffer();
  const [end, last] = [jpeg.length - 2, jpeg.lastIndexOf(Buffer.from([0xff, 0xda]))];
  const scan = jpeg.subarray(last, end);
  return Buffer.concat([jpeg.subarray(0, end), ...Array<Buffer>(100_000).fill(scan), jpeg.subarray(end)]);
}

/** As such a file begins: nothing of it is read. */
const avif = () => Buffer.from('\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf', 'latin1');

/** A PNG of a few kilobytes that says to be 30,000 pixels wide and high. */
function bomb(): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(30_000, 0);
  head.writeUInt32BE(30_000, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const rows = deflateSync(Buffer.alloc(1_000_000));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', head),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc32(bytes: Buffer): number {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let i = 0; i < 8; i++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return ~sum >>> 0;
}

/** About three megabytes, whatever is done to it; another one each time. */
async function noisyGif(): Promise<Buffer> {
  const frames = await Promise.all(
    Array.from({ length: 6 }, () =>
      sharp({
        create: {
          width: 800,
          height: 700,
          channels: 3,
          background: '#888',
          noise: { type: 'gaussian', mean: 128, sigma: 60 },
        },
      })
        .png()
        .toBuffer(),
    ),
  );
  return sharp(frames, { join: { animated: true } })
    .gif({ effort: 1 })
    .toBuffer();
}
