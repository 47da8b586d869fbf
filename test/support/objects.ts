import { PlannerService } from '../../src/features/runs/planner.service';
import { Limits } from '../../src/queue/limits';
import type { Person, TestApi } from './api';
import { mailingBody, messageBody } from './factories';

/** Ids of one of everything that has an owner. */
export interface Objects {
  client: number;
  tag: number;
  form: number;
  message: number;
  attachment: number;
  picture: number;
  segment: number;
  letter: number;
  mailing: number;
  run: number;
  delivery: number;
  import: number;
  job: number;
  suppression: number;
  batch: number;
  inbound: number;
  webhook: number;
  token: number;
  session: number;
  identity: number;
  user: number;
  /** A user who was invited and has not accepted. */
  invited: number;
}

export const newMailing = ({ message }: Pick<Objects, 'message'>) =>
  mailingBody(message, { audience: 'selected', period: 'daily' });

let made = 0;

/** One of everything, of this owner. */
export async function makeObjects(api: TestApi, { token, id: ownerId }: Person): Promise<Objects> {
  const post = async (path: string, body?: unknown) => {
    const answer = await api.call('POST', `/api/v1${path}`, { token, ...(body === undefined ? {} : { body }) });
    if (answer.status >= 300) throw new Error(`POST ${path}: ${answer.status} ${answer.text}`);
    return answer.body;
  };
  const client = (await post('/clients', { email: `client${++made}@example.net`, fullName: 'C' })).id;
  const message = (await post('/messages', messageBody())).id;
  // Some tests make more than there may be in an hour.
  await api.app.get(Limits, { strict: false }).forgive('testLetterSelf', ownerId);
  const letter = Number((await post(`/messages/${message}/test`, {})).letterId);
  const mailing = (await post('/mailings', { ...newMailing({ message }), clientIds: [client] })).id;
  const run = Number((await post(`/mailings/${mailing}/send`)).runId);
  await api.app.get(PlannerService, { strict: false }).plan(run);
  const id = async (sql: string, param: number) =>
    (await api.database.first<{ id: number }>(sql, [param]))?.id ?? Promise.reject(new Error(`nothing: ${sql}`));
  // One for each owner, whose key the tests of all routes know.
  await api.database.affected(
    `INSERT INTO client_fields (owner_id, key, label, type) VALUES ($1, 'city', 'City', 'text') ON CONFLICT DO NOTHING`,
    [ownerId],
  );
  return {
    client,
    tag: await id(`INSERT INTO tags (owner_id, name) VALUES ($1, 'tag ' || random()) RETURNING id`, ownerId),
    form: await id(
      `INSERT INTO signup_forms (owner_id, token, name, language, title)
       VALUES ($1, gen_random_uuid()::text, 'Site', 'en', 'News') RETURNING id`,
      ownerId,
    ),
    message,
    attachment: await id(
      `WITH file AS (INSERT INTO attachment_files (hash, size, key)
         VALUES (encode(sha256(random()::text::bytea), 'hex'), 1, random()::text) RETURNING hash)
       INSERT INTO message_attachments (message_id, hash, name, type) SELECT $1, hash, 'a.txt', 'text/plain' FROM file
       RETURNING id`,
      message,
    ),
    picture: await id(
      `WITH one AS (INSERT INTO media (hash, type, width, height, size, key)
         VALUES (encode(sha256(random()::text::bytea), 'hex'), 'image/png', 1, 1, 1, random()::text) RETURNING hash)
       INSERT INTO pictures (owner_id, hash) SELECT $1, hash FROM one RETURNING id`,
      ownerId,
    ),
    segment: (await post('/segments', { name: `S${made}`, filter: { field: 'comment', op: 'isSet' } })).id,
    letter,
    mailing,
    run,
    delivery: await id('SELECT id FROM deliveries WHERE run_id = $1', run),
    import: await id(`INSERT INTO imports (owner_id, status) VALUES ($1, 'done') RETURNING id`, ownerId),
    job: await id(
      `INSERT INTO bulk_jobs (owner_id, action, client_ids, last_id) VALUES ($1, 'delete', '{}', 0) RETURNING id`,
      ownerId,
    ),
    suppression: (await post('/suppressions', { email: `gone${made}@example.net` })).id,
    batch: await id(
      `INSERT INTO suppression_batches (kind, owner_id, complete_at) VALUES ('import', $1, now()) RETURNING id`,
      ownerId,
    ),
    inbound: await id(
      `INSERT INTO inbound_letters (source, envelope_from, envelope_to, digest, raw, size, judged_at, kind, reason,
                                    basis, owner_id)
       VALUES ('api', '', 'b@example.org', sha256(random()::text::bytea), 'Subject: x', 10, now(), 'ignore',
               'not_a_report', 'none', $1) RETURNING id`,
      ownerId,
    ),
    webhook: await id(
      `INSERT INTO webhook_secrets (provider, secret_hash)
       SELECT 'mailgun', sha256(random()::text::bytea) WHERE $1::bigint > 0 RETURNING id`,
      ownerId,
    ),
    token: (await post('/tokens', { name: 'one' })).id,
    session: await id(
      `INSERT INTO sessions (user_id, token_hash, expires_at)
       VALUES ($1, sha256(random()::text::bytea), now() + interval '1 day') RETURNING id`,
      ownerId,
    ),
    identity: await id(
      `INSERT INTO identities (user_id, issuer, subject) VALUES ($1, 'https://accounts.example/' || random(), 'one') RETURNING id`,
      ownerId,
    ),
    user: ownerId,
    invited: await id(
      `INSERT INTO users (email, status, invited_at)
       VALUES ('invited' || $1::bigint || '-' || random() || '@example.org', 'unconfirmed', now()) RETURNING id`,
      ownerId,
    ),
  };
}

/** The documentation's pages and the logger's middleware: they hold nothing of anybody. */
const OPEN = /^\/api\/docs|^\{\/\*splat\}/;

/** `METHOD /path` of every route that the running application has, from its own table. */
export function routesOf(api: TestApi): string[] {
  const { router } = api.app.getHttpAdapter().getInstance() as {
    router: { stack: { route?: { path: string; methods: Record<string, boolean> } }[] };
  };
  return router.stack.flatMap(({ route }) =>
    !route || OPEN.test(route.path)
      ? []
      : Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`),
  );
}
