import { s3Address, s3UrlProblem } from '../../src/config/s3-url';
import { loadConfig } from '../../src/config/config';
import { Database } from '../../src/database/database';
import type { DomainError } from '../../src/domain/errors';
import { S3Bucket } from '../../src/storage/s3-bucket';
import { StoredObjects } from '../../src/storage/stored-objects';
import { en } from '../../src/web/texts/en';
import { WebModule } from '../../src/web/web.module';
import { type Person, startApi, type TestApi } from '../support/api';
import { FakeS3 } from '../support/fake-s3';
import { fileForm, png } from '../support/pictures';

describe('pictures in an object store', () => {
  let s3: FakeS3;
  let api: TestApi;
  let ann: Person;
  beforeAll(async () => {
    s3 = await FakeS3.start();
    api = await startApi({ storageUrl: s3.url }, [WebModule]);
    ann = await api.person();
  });
  afterAll(async () => {
    await api.close();
    await s3.stop();
  });

  const upload = async (bytes: Buffer) => {
    const response = await fetch(`${api.url}/api/v1/media`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ann.token}` },
      body: fileForm(bytes, 'a.png'),
    });
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) as { id: number; hash: string; code: string } };
  };

  it('are put, served and removed there, by signed requests, and nothing is in Postgres', async () => {
    const { status, body } = await upload(await png());
    expect(status).toBe(201);
    expect([...s3.objects.keys()]).toEqual([expect.stringMatching(new RegExp(`^media/${body.hash}-[0-9a-f-]{36}$`))]);
    expect(await api.database.rows('SELECT FROM stored_objects')).toEqual([]);
    const served = await fetch(`${api.url}/media/${body.hash}`);
    expect(Buffer.from(await served.arrayBuffer())).toEqual([...s3.objects.values()][0]);
    await api.call('DELETE', `/api/v1/media/${body.id}`, { token: ann.token });
    expect(s3.objects.size).toBe(0);
  });

  it('that it does not remove hold up nobody', async () => {
    const file = await png(52, 33);
    const { body } = await upload(file);
    s3.refused = 'DELETE';
    expect(await upload(file)).toMatchObject({ status: 201, body: { id: body.id } });
    expect((await api.call('DELETE', `/api/v1/media/${body.id}`, { token: ann.token })).status).toBe(204);
    s3.refused = '';
    expect((await fetch(`${api.url}/media/${body.hash}`)).status).toBe(404);
  });

  it('are no trouble while it works', async () => {
    expect((await api.call('GET', '/api/v1/health/ready')).body.degraded).toEqual(['workers']);
  });

  it('that were stored in Postgres before are found there', async () => {
    const inPostgres = new StoredObjects(api.app.get(Database, { strict: false }), { storageUrl: '' });
    await inPostgres.put('media/old', Buffer.from('old'));
    const now = new StoredObjects(api.app.get(Database, { strict: false }), { storageUrl: s3.url });
    expect((await now.get('media/old'))?.toString()).toBe('old');
    await now.remove('media/old');
    expect([await now.get('media/old'), await now.get('media/never')]).toEqual([null, null]);
  });

  it.each([403, 503])('are not taken while it answers %s, which is said without its secrets', async (status) => {
    s3.broken = status;
    const refused = await upload(await png(61, 41));
    s3.broken = 0;
    expect([refused.status, refused.body.code]).toEqual([503, 'STORAGE_UNAVAILABLE']);
    expect(refused.text).toContain(`it answered ${status}`);
    for (const secret of ['AKIA', 'cret', 'letters']) expect(refused.text).not.toContain(secret);
    expect(await api.database.rows('SELECT FROM pictures')).toEqual([]);
  });
});

describe('an object store that does not do what it should', () => {
  let s3: FakeS3;
  beforeAll(async () => {
    s3 = await FakeS3.start();
    await new S3Bucket(s3.url).put('media/one', Buffer.from('one'));
  });
  afterAll(() => s3.stop());
  beforeEach(() => (s3.silent = 'no'));

  it.each([
    ['has no such bucket', { bucket: 'other' }, 'it answered 404 NoSuchBucket'],
    ['does not know the secret', { secret: 'hunter2' }, 'it answered 403 SignatureDoesNotMatch'],
  ])('%s: nothing is taken for gone, and what is wrong is said', async (_, wrong, reason) => {
    const bucket = new S3Bucket(s3.urlOf(wrong));
    for (const ask of [() => bucket.get('media/one'), () => bucket.put('media/two', Buffer.from('2'))]) {
      const error = (await ask().catch((thrown: unknown) => thrown)) as DomainError;
      expect(error).toMatchObject({ code: 'STORAGE_UNAVAILABLE', message: expect.stringContaining(reason) as string });
      expect(error.message).not.toMatch(/AKIA|hunter2|other/);
    }
    await expect(bucket.remove('media/one')).rejects.toThrow(reason);
    expect((await bucket.trouble())?.message).toContain(reason);
  });

  it.each(['all', 'half'] as const)(
    'is silent (%s): that is waited for once, then for a while not at all',
    async (how) => {
      const bucket = new S3Bucket(s3.url, 300);
      expect(await bucket.trouble()).toBeNull();
      s3.silent = how;
      await expect(bucket.get('media/one')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      s3.silent = 'no';
      await expect(bucket.get('media/one')).rejects.toThrow('it did not answer just now');
    },
  );
});

it('a store that does not work is told by the health, the status page and mailings whose letters wait', async () => {
  const s3 = await FakeS3.start();
  const api = await startApi({ storageUrl: s3.urlOf({ bucket: 'other' }) }, [WebModule]);
  try {
    const admin = await api.person('admin');
    const { cookie } = await api.signIn(admin.email);
    expect((await api.call('GET', '/api/v1/health/ready')).body.degraded).toContain('storage');
    const messageId = await api.make.message(admin.id);
    await api.database.affected(
      `WITH file AS (INSERT INTO attachment_files (hash, size, key) VALUES (repeat('a', 64), 1, 'attachments/a')
         RETURNING hash)
       INSERT INTO message_attachments (message_id, hash, name, type) SELECT $1, hash, 'a.txt', 'text/plain' FROM file`,
      [messageId],
    );
    const mailing = await api.make.mailing({ ownerId: admin.id, messageId });
    await api.database.affected(
      `INSERT INTO runs (mailing_id, owner_id, trigger, status, on_unknown)
       VALUES ($1, $2, 'demand', 'sending', 'hold')`,
      [mailing, admin.id],
    );
    for (const path of ['/status', `/mailings/${mailing}`]) {
      const { text } = await api.call('GET', path, { cookie });
      expect(text).toContain(en.media.storageTrouble);
      expect(text).toContain('it answered 404 NoSuchBucket');
      expect(text).not.toMatch(/AKIA|cret/);
    }
  } finally {
    await api.close();
    await s3.stop();
  }
});

describe('STORAGE_URL', () => {
  it.each([
    'https://key:hunter2@s3.example/bucket',
    's3://s3.example/bucket',
    's3://key:hunter2@s3.example',
    's3://key:hunter2@s3.example/Bucket/folder',
    's3://key:hunter2@s3.example/bucket?regoin=x',
    's3://key:hunter2@s3.example/bucket?tls=no',
    's3://key:hun/ter2@s3.example/bucket',
  ])('%s is refused, without a part of it', (url) => {
    expect(s3UrlProblem(url)).toEqual(expect.any(String));
    expect(() => loadConfig({ STORAGE_URL: url })).toThrow(/STORAGE_URL (?!.*ter2)/);
  });

  it('names key, secret, region and bucket', () => {
    expect(s3Address('s3://k:a%2Fb@s3.eu-central-1.example:9000/my-bucket?region=eu-central-1')).toEqual({
      accessKeyId: 'k',
      secretAccessKey: 'a/b',
      region: 'eu-central-1',
      base: 'https://s3.eu-central-1.example:9000/my-bucket',
    });
  });
});
