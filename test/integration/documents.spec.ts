import { WebModule } from '../../src/web/web.module';
import { mailingBody } from '../support/factories';
import { type Person, startApi, type TestApi } from '../support/api';
import { button, documentOf, EVERYTHING, paragraph, variable, type Json } from '../support/documents';
import { flawsOf } from '../support/letter-html';

/** Messages that are written in blocks: what is stored, what becomes of changes, and what is refused. */

let api: TestApi;
let owner: Person;

beforeAll(async () => {
  api = await startApi({}, [WebModule]);
  owner = await api.person('user', 'owner@example.org');
});
afterAll(() => api.close());

const call = (method: string, path: string, body?: object) =>
  api.call(method, `/api/v1${path}`, { token: owner.token, ...(body && { body }) });
const made = async (body: object) =>
  (await call('POST', '/messages', body)).body as unknown as { id: number; version: number };
const blocks = (more: object = {}) => ({ subject: 'Hello', document: documentOf(paragraph('One')), ...more });
const problems = async (method: string, path: string, body: object) => {
  const { status, body: answer } = await call(method, path, body);
  return [
    status,
    ...(answer.errors as unknown as { field: string; code: string }[]).map(({ field, code }) => `${field} ${code}`),
  ];
};

describe('a message of blocks', () => {
  it('is stored as it was written, with the HTML and the text that were made of it', async () => {
    const message = await made(blocks({ document: EVERYTHING, name: ' May ' }));
    const { body } = await call('GET', `/messages/${message.id}`);
    expect(body).toMatchObject({ name: 'May', version: 1, document: { version: 1, preheader: EVERYTHING.preheader } });
    expect(flawsOf(String(body.body))).toEqual([]);
    expect(body.bodyText).toContain('Go there: https://example.org/go');
    const again = await call('PATCH', `/messages/${message.id}`, { document: body.document });
    expect(again.body).toMatchObject({ version: 1, body: body.body, bodyText: body.bodyText });
  });

  it('is looked at, and sent, as letters of HTML are', async () => {
    const { id } = await made(blocks({ document: documentOf(paragraph('Dear ', variable('client.fullName', 'you'))) }));
    const { body } = await call('POST', `/messages/${id}/preview`, {});
    expect(body.html).toMatch(/Dear [A-Z]/);
    expect(body.html).toContain('Unsubscribe');
    expect(body.text).toMatch(/^Dear [A-Z]/);
    expect((await call('POST', `/messages/${id}/test`, {})).status).toBe(202);
  });

  it('is made anew when it changes, and keeps its version where nothing does', async () => {
    const { id } = await made(blocks());
    const changed = await call('PATCH', `/messages/${id}`, { document: documentOf(paragraph('Two')), version: 1 });
    expect(changed.body).toMatchObject({ version: 2, bodyText: 'Two' });
    const subject = await call('PATCH', `/messages/${id}`, { subject: 'Other' });
    expect(subject.body).toMatchObject({ version: 3, document: changed.body.document });
    expect(subject.body.body).toContain('<title>Other</title>');
    const stale = await call('PATCH', `/messages/${id}`, { document: documentOf(paragraph('Three')), version: 1 });
    expect([stale.status, stale.body.code]).toEqual([409, 'CHANGED_MEANWHILE']);
  });

  it('becomes HTML for good when it gets a body, also by a process of the previous release', async () => {
    const { id } = await made(blocks());
    expect((await call('PATCH', `/messages/${id}`, { body: '<p>x</p>' })).body).toMatchObject({
      document: null,
      bodyText: null,
    });
    expect(await problems('PATCH', `/messages/${id}`, { document: documentOf(paragraph('x')) })).toEqual([
      400,
      'document document_of_html',
    ]);
    const other = await made(blocks());
    await api.database.rows('UPDATE messages SET subject = $2, body = $3, body_text = NULL WHERE id = $1', [
      other.id,
      'S',
      '<p>Old</p>',
    ]);
    expect((await call('GET', `/messages/${other.id}`)).body).toMatchObject({
      document: null,
      body: '<p>Old</p>',
      version: 2,
    });
  });

  it.each([
    ['body', { body: '<p>x</p>' }],
    ['bodyText', { bodyText: 'x' }],
  ])('has no %s beside', async (field, more) => {
    expect(await problems('POST', '/messages', blocks(more))).toEqual([400, `${field} document_or_html`]);
    const { id } = await made(blocks());
    expect(await problems('PATCH', `/messages/${id}`, { ...more, document: documentOf(paragraph('x')) })).toEqual([
      400,
      `${field} document_or_html`,
    ]);
  });

  it('is refused where it is none, with the block in which something is wrong', async () => {
    expect(await problems('POST', '/messages', { subject: 'x' })).toEqual([400, 'body required']);
    expect(await problems('POST', '/messages', blocks({ document: {} }))).toEqual([400, 'document document']);
    expect(
      await problems('POST', '/messages', blocks({ document: documentOf(paragraph('x'), button('x', 'nowhere')) })),
    ).toEqual([400, 'document.doc.content.1 document_block']);
    const preheader = { ...documentOf(paragraph('x')), preheader: '{{ client.fulName }}' };
    expect(await problems('POST', '/messages', blocks({ document: preheader }))).toEqual([
      400,
      'document.preheader unknown_variable',
    ]);
    const long = documentOf(...Array.from({ length: 499 }, () => button('x', 'https://example.org/')));
    expect(await problems('POST', '/messages', blocks({ document: long }))).toEqual([400, 'document document']);
  });

  it('is not even looked at for somebody who may not change it', async () => {
    const { id } = await made(blocks());
    const wrong = { document: documentOf(button('x', 'nowhere')) };
    for (const [role, status] of [
      ['manager', 403],
      ['user', 404],
    ] as const) {
      const { token } = await api.person(role, `other-${role}@example.org`);
      expect((await api.call('PATCH', `/api/v1/messages/${id}`, { token, body: wrong })).status).toBe(status);
    }
  });

  it('is sent as one that somebody wrote as the same HTML', async () => {
    await call('POST', '/clients', { email: 'reader@example.org', fullName: 'Reader' });
    const written = await made(blocks({ document: EVERYTHING }));
    const { subject, body, bodyText } = (await call('GET', `/messages/${written.id}`)).body;
    const copied = await made({ subject, body, bodyText });
    const snapshots = await Promise.all(
      [written, copied].map(async ({ id }) => {
        const mailing = (await call('POST', '/mailings', mailingBody(id))).body.id;
        expect((await call('POST', `/mailings/${mailing}/send`, {})).status).toBe(202);
        return api.database.first(
          `SELECT to_jsonb(r) - '{id,mailing_id,letter_key,created_at,occurrence_at}'::text[] AS run
             FROM runs r WHERE mailing_id = $1`,
          [mailing],
        );
      }),
    );
    expect(snapshots[0]).toEqual(snapshots[1]);
    expect(snapshots[0]).toMatchObject({ run: { body, body_text: bodyText } });
  });

  it('may be as large as its limits say', async () => {
    const marked = { type: 'text', text: 'word', marks: [{ type: 'strong' }] };
    const largest = documentOf(...Array.from({ length: 480 }, () => paragraph('word '.repeat(30), marked)));
    expect((await call('POST', '/messages', blocks({ document: largest }))).status).toBe(201);
  });

  it('uses the fields that it names', async () => {
    await call('POST', '/fields', { key: 'town', label: 'Town', type: 'text' });
    const { id } = await made(blocks({ name: 'Towns', document: documentOf(paragraph(variable('client.town'))) }));
    const { status, body } = await call('DELETE', '/fields/town');
    expect([status, body.uses]).toEqual([409, [{ kind: 'message', id, name: 'Towns' }]]);
  });
});

describe('how the letters of a sender look', () => {
  it('is taken over when a message is saved', async () => {
    const { id } = await made(blocks({ document: documentOf(paragraph('x'), button('Go', 'https://example.org/')) }));
    const brand = { logo: 'https://example.org/logo.png', accent: '#7A1FA2', background: '#FFEEDD', font: 'georgia' };
    expect((await call('PATCH', '/sender', brand)).body).toMatchObject({
      ...brand,
      accent: '#7a1fa2',
      background: '#ffeedd',
    });
    const { body: before } = await call('GET', `/messages/${id}`);
    expect(before.body).not.toContain('#7a1fa2');
    const { body } = await call('PATCH', `/messages/${id}`, { document: before.document });
    for (const part of ['src="https://example.org/logo.png"', '#7a1fa2', '#ffeedd', 'Georgia'])
      expect(body.body).toContain(part);
    expect(flawsOf(String(body.body))).toEqual([]);
  });

  it('can be read and seen', async () => {
    const wrong = { logo: 'http://example.org/x.png', accent: '#ffff00', background: 'red', font: 'Comic Sans' };
    expect(await problems('PATCH', '/sender', wrong)).toEqual([
      400,
      'logo picture_source',
      'accent colour_faint',
      'background colour',
      'font one_of',
    ]);
  });
});

describe('the name of a message', () => {
  it('is found, and shown instead of the subject', async () => {
    const { id } = await made({ name: 'Spring sale', subject: 'Dear {{ client.fullName }}', body: '<p>x</p>' });
    const found = await call('GET', '/messages?search=spring');
    expect(found.body.items.map((message: Json) => message.id)).toEqual([id]);
    const { cookie } = await api.signIn(owner.email);
    const { text } = await api.call('GET', '/messages', { cookie });
    expect(text).toContain('Spring sale');
    expect(text).not.toContain('Dear {{');
  });

  it('is one line', async () => {
    expect(await problems('POST', '/messages', blocks({ name: 'a\nb' }))).toEqual([400, 'name not_one_line']);
    expect(await problems('POST', '/messages', blocks({ name: 'x'.repeat(201) }))).toEqual([400, 'name too_long']);
  });
});
