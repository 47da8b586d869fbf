import { Client } from 'pg';
import { Sessions } from '../../src/database/sessions';
import { createTestDatabase, type TestDatabase } from '../support/database';

describe('what a connection can rely on', () => {
  let database: TestDatabase;
  let client: Client & { processID?: number };

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  afterAll(() => database.drop());

  beforeEach(async () => {
    client = new Client({ connectionString: database.url });
    await client.connect();
  });

  afterEach(() => client.end());

  const timeout = async () =>
    (await client.query<{ ms: string }>(`SELECT setting AS ms FROM pg_settings WHERE name LIKE 'idle_in_tr%'`)).rows[0];

  it('a session of its own: its settings are made once', async () => {
    const sessions = new Sessions(4_321, () => {
      throw new Error('this is no pooler');
    });
    await sessions.onConnect(client);
    expect(sessions.shared).toBe(false);
    expect(await timeout()).toEqual({ ms: '4321' });
  });

  it('a session that is known under another number is shared: nothing is left in it, and it is told of once', async () => {
    const told = jest.fn();
    const sessions = new Sessions(4_321, told);
    client.processID = 1;
    await sessions.onConnect(client);
    await sessions.onConnect(client);
    expect(sessions.shared).toBe(true);
    expect(told).toHaveBeenCalledTimes(1);
    expect(await timeout()).toEqual({ ms: '0' });
  });
});
