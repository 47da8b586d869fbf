import { Client } from 'pg';

// The calendar's clock of one test database is app_now(), which the product never replaces. Time stands still inside a
// transaction, as it does in the product.

/** Stops the clock at this instant. */
export function setClock(databaseUrl: string, at: Date | string): Promise<void> {
  return replaceClock(databaseUrl, `SELECT ${literal(at)}`);
}

/** Moves a stopped clock on, or back. */
export async function advance(databaseUrl: string, ms: number): Promise<void> {
  await setClock(databaseUrl, new Date((await readClock(databaseUrl)).getTime() + ms));
}

/** Lets the clock run from this instant, `speed` times as fast as real time. */
export async function runClock(databaseUrl: string, from: Date | string, speed: number): Promise<void> {
  const began = await query<{ began: string }>(databaseUrl, 'SELECT clock_timestamp()::text AS began');
  await replaceClock(
    databaseUrl,
    `SELECT ${literal(from)} + (now() - timestamptz '${began[0]?.began ?? ''}') * ${Number(speed)}::float8`,
  );
}

export async function readClock(databaseUrl: string): Promise<Date> {
  const [row] = await query<{ now: Date }>(databaseUrl, 'SELECT app_now() AS now');
  if (!row) throw new Error('no clock');
  return row.now;
}

const literal = (at: Date | string): string => `timestamptz '${new Date(at).toISOString()}'`;

async function replaceClock(databaseUrl: string, body: string): Promise<void> {
  await query(
    databaseUrl,
    `CREATE OR REPLACE FUNCTION app_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $clock$ ${body} $clock$`,
  );
}

async function query<T>(connectionString: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(sql)).rows as T[];
  } finally {
    await client.end();
  }
}
