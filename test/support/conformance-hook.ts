import { Conformance } from './conformance';

/**
 * Every JSON answer of the REST API that a test gets by `fetch`, from the test's own process or another, is held against
 * the OpenAPI document that the same service gives out: one that is not in it fails the test.
 */
const fetchAsItIs = globalThis.fetch;
let conformance: Promise<Conformance | undefined> | undefined;

globalThis.fetch = async (input, init) => {
  const response = await fetchAsItIs(input, init);
  const url = new URL(input instanceof Request ? input.url : input);
  if (!url.pathname.startsWith('/api/v1/')) return response;
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const known = await (conformance ??= documentOf(url.origin));
  if (!known) {
    // The service went away meanwhile; the next answer comes from one that is there.
    conformance = undefined;
    return response;
  }
  const method = (init?.method ?? (input instanceof Request ? input.method : 'GET')).toUpperCase();
  const { status, headers } = response;
  const body = isJson ? await response.clone().text() : '';
  const problem = known.problemOf({ method, path: url.pathname, status, headers, body });
  if (problem)
    throw new Error(`Not as the OpenAPI document says: ${method} ${url.pathname}: ${problem}\n${body.slice(0, 500)}`);
  return response;
};

/** Undefined where nobody answers; an answer that is no document fails the test. */
async function documentOf(origin: string): Promise<Conformance | undefined> {
  const answer = await fetchAsItIs(`${origin}/api/docs-json`).catch(() => undefined);
  if (!answer) return undefined;
  if (!answer.ok) throw new Error(`/api/docs-json answered ${answer.status}`);
  return new Conformance((await answer.json()) as ConstructorParameters<typeof Conformance>[0]);
}
