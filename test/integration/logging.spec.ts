import { Writable } from 'node:stream';
import { plainLogger } from '../../src/logging/logging.module';
import { startApi } from '../support/api';

test('a statement that fails is logged without what it was given, and without what Postgres quotes of it', async () => {
  const api = await startApi();
  let log = '';
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log += chunk.toString();
      done();
    },
  });
  const insert = 'INSERT INTO users (email, password_hash) VALUES ($1, $2)';
  const given = ['Anna@example.org', 'hash-of-a-password'];
  await api.database.affected(insert, given);
  for (const statement of [api.database.affected(insert, given), api.database.prepared('again', insert, given)]) {
    const err: unknown = await statement.catch((error: unknown) => error);
    plainLogger('error', destination).error({ err }, 'Failed');
  }
  await api.close();
  expect(log.match(/users_email_key/g)?.length).toBeGreaterThanOrEqual(2);
  expect(log.toLowerCase()).not.toMatch(/anna@|hash-of/);
});
