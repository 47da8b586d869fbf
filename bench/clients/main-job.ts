/** What most programs want of the service, by a client that is generated from its document; see `../openapi-client.mjs`. */
import createClient from 'openapi-fetch';
import type { components, paths } from './schema';

type Delivery = components['schemas']['Delivery'];

const { API_URL: baseUrl, API_TOKEN: token } = process.env;
if (!baseUrl || !token) throw new Error('API_URL and API_TOKEN are not set');
const api = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } });

/** The answer's body; a problem is an error. */
async function got<T>(answer: Promise<{ data?: T; error?: components['schemas']['Problem'] }>): Promise<T> {
  const { data, error } = await answer;
  if (data === undefined) throw new Error(error ? `${error.code}: ${error.detail}` : 'no answer');
  return data;
}

const email = `generated-${Date.now()}@example.org`;
const client = await got(api.POST('/api/v1/clients', { body: { email, fullName: 'Anna Example' } }));
const taken = await api.POST('/api/v1/clients', { body: { email, fullName: 'Anna again' } });
if (taken.error?.code !== 'EMAIL_TAKEN') throw new Error('the second client with this address was taken');
const message = await got(
  api.POST('/api/v1/messages', { body: { subject: 'Hello, {{ client.fullName }}', body: '<p>Hello.</p>' } }),
);
const mailing = await got(
  api.POST('/api/v1/mailings', {
    body: {
      messageId: message.id,
      audience: 'selected',
      clientIds: [client.id],
      startAt: new Date(Date.now() + 86_400_000).toISOString(),
      period: 'daily',
      timeZone: 'Europe/Athens',
    },
  }),
);
const path = { id: mailing.id };
const started = await got(api.POST('/api/v1/mailings/{id}/start', { params: { path } }));
if (started.status !== 'started' || started.nextRunAt === null) throw new Error('the mailing did not start');
const { runId } = await got(api.POST('/api/v1/mailings/{id}/send', { params: { path } }));
const delivery = await sent(runId);
const attempts = await got(api.GET('/api/v1/attempts', { params: { query: { deliveryId: delivery.id, limit: 5 } } }));
if (attempts.items[0]?.status !== 'ok') throw new Error('the ledger has no attempt that went well');
await api.POST('/api/v1/mailings/{id}/finish', { params: { path } });
console.log(`${delivery.client.email}: ${delivery.status}, ${attempts.items[0].serverResponse}`);

/** The run's delivery, when it was sent. */
async function sent(id: number): Promise<Delivery> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await new Promise((r) => setTimeout(r, 200))) {
    const { items } = await got(api.GET('/api/v1/runs/{id}/deliveries', { params: { path: { id } } }));
    if (items[0]?.status === 'sent') return items[0];
  }
  throw new Error(`run ${id} did not send within a minute`);
}
