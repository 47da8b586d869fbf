/**
 * The adversarial corpus: requests made to cost more than they are worth. To add one, give it a name, the route, and what
 * makes its body or query; `npm run bench -- adversarial` sends each and measures what it costs.
 */
import { gzipSync } from 'node:zlib';
import { blocks, uploads } from './adversarial-documents.mjs';
import { list, repeat, templates } from './adversarial-templates.mjs';

/**
 * @typedef {object} Input
 * @property {string} name
 * @property {string} method
 * @property {string} path
 * @property {string} who
 * @property {string} [type]
 * @property {() => string | Buffer} [body]
 * @property {(base: string) => Record<string, string>} [headers] `base`: where the service is
 * @property {number} [cpuMs] what it may cost, if not what any may
 */

const names = (n) => Array.from({ length: n }, (_, i) => `"k${i}":${i}`).join();

const MAILING = { messageId: 1, audience: 'all', startAt: '2030-01-01T00:00:00Z', period: 'once', timeZone: 'UTC' };

const json = (path, bodies, who = 'user') =>
  Object.entries(bodies).map(([name, body]) => ({ name, method: 'POST', path, type: 'application/json', who, body }));
const form = (path, bodies) =>
  Object.entries(bodies).map(([name, body]) => ({
    name,
    method: 'POST',
    path,
    type: 'application/x-www-form-urlencoded',
    who: 'session',
    body,
  }));
const csv = (bodies) =>
  Object.entries(bodies).map(([name, body]) => ({
    name,
    method: 'POST',
    path: '/api/v1/clients/import?dryRun=true',
    type: 'text/csv',
    who: 'user',
    body: () => `email,full_name,comment\n${body()}`,
  }));
const csvFiles = (bodies) => csv(bodies).map((input) => ({ ...input, body: bodies[input.name] }));
const inspected = (bodies) =>
  csvFiles(bodies).map((input) => ({ ...input, path: '/api/v1/clients/import?inspect=true' }));
const template = (bodies) =>
  Object.entries(bodies).map(([name, body]) => ({
    name: `template: ${name}`,
    method: 'POST',
    path: '/api/v1/messages',
    type: 'application/json',
    who: 'user',
    body: () => JSON.stringify({ subject: 's', body: body() }),
  }));
const get = (queries) =>
  Object.entries(queries).map(([name, query]) => ({
    name: `query: ${name}`,
    method: 'GET',
    path: `/api/v1/clients?${query}`,
    who: 'user',
  }));

/** Parts of a form with a file, behind them one client. */
const BOUNDARY = 'b';
const multipart = (bodies) =>
  Object.entries(bodies).map(([name, body]) => ({
    name: `multipart: ${name}`,
    method: 'POST',
    path: '/api/v1/clients/import?dryRun=true',
    type: `multipart/form-data; boundary=${BOUNDARY}`,
    who: 'user',
    body,
  }));
const part = (head, text = '1') => `--${BOUNDARY}\r\n${head}\r\n\r\n${text}\r\n`;
const FILE_PART = 'Content-Disposition: form-data; name="file"; filename="a.csv"';
/** Requests without a body that are large in their heads; Node takes 16 KB of one. */
const heads = (paths) =>
  Object.entries(paths).map(([name, [path, headers, who = 'session']]) => ({
    name: `head: ${name}`,
    method: 'GET',
    path,
    who,
    headers: () => headers,
  }));
const HEAD = 15_000;
/** A body that is small on its way and large when it is unpacked. */
const bomb = () => gzipSync(Buffer.alloc(50_000_000, 'a'));

/**
 * Messages that are taken, and cost much to render; each has a mailing of the same id. They are more than the service
 * keeps compiled.
 */
export const DEAR = [
  ...[
    'strip_html of comments',
    '200 KB of paragraphs',
    'links within each other',
    'sort_natural',
    'names of attributes',
  ],
  ...['tags with two kinds of quotes', '900 dates', 'assigns of 900', 'strip_html of script', 'split into characters'],
];
export const stored = {
  client: { email: 'a@example.org' },
  messages: DEAR.map((name) => ({ subject: 's', name, body: templates[name](), bodyText: templates[name]() })),
  mailing: { audience: 'all', startAt: '2030-01-01T00:00:00Z', period: 'once', timeZone: 'UTC' },
};
const pagesOfDear = Object.entries({
  'form of': (id) => `/messages/${id}`,
  'preview of': (id) => `/api/v1/messages/${id}/preview`,
  'page of': (id) => `/mailings/${id}`,
  'preflight of': (id) => `/api/v1/mailings/${id}/preflight`,
  'change of': (id) => `/mailings/${id}/edit`,
  'new with': (id) => `/mailings/new?messageId=${id}`,
}).flatMap(([what, pathOf]) =>
  DEAR.map((name, i) => ({
    name: `stored: ${what} ${name}`,
    method: what === 'preview of' ? 'POST' : 'GET',
    path: pathOf(i + 1),
    who: pathOf(1).startsWith('/api') ? 'user' : 'session',
  })),
);

/** Forms of pages, and what their texts are called: all are long at once, or all but those that have a right value. */
const FORMS = {
  '/sign-in': 'email password next',
  '/register': 'email password fullName timeZone',
  '/forgot': 'email',
  '/reset': 'token password',
  '/invitation': 'token password fullName',
  '/account': 'fullName timeZone language',
  '/account/password': 'password newPassword',
  '/account/email': 'email password',
  '/account/tokens': 'name scopes',
  '/account/second-factor/confirm': 'password code',
  '/clients/new': 'email fullName comment tags',
  '/clients/bulk': 'by.search tags action by.tag',
  '/clients/fields/new': 'key label options type',
  '/clients/tags': 'name',
  '/forms/new': 'name title intro consentText thanks redirectUrl allowedOrigins',
  '/mailings/new': 'messageId audience startAt period name endAt timeZone clientIds language transactionalReason',
  '/mailings/check': 'messageId audience startAt period name endAt timeZone clientIds language transactionalReason',
  '/messages/new': 'subject name body bodyText preheader document b.0.kind b.0.text',
  '/messages/new/test': 'subject name body bodyText preheader document b.0.kind b.0.text',
  '/messages/preview': 'subject name body bodyText preheader document b.0.kind b.0.text',
  '/segments/new': 'g0.match g0.0.field g0.0.op name g0.0.value g0.1.field',
  '/segments/count': 'g0.match g0.0.field g0.0.op g0.0.value g0.1.field',
  '/sender': 'name replyTo postalAddress unsubscribeText',
  '/suppressions': 'email detail scope',
  '/drafts': 'page subject body name',
  '/drafts/discard': 'page at',
  '/inbound/webhooks': 'provider name signingKey',
  '/status/proof': 'to',
  '/clients/1/edit': 'email fullName comment tags version was',
  '/messages/1': 'subject name body bodyText preheader document version was',
  '/mailings/1/edit': 'name messageId startAt endAt clientIds version was',
};
/** @type {Record<string, string>} */
const RIGHT = {
  ...{ email: 'a@example.org', messageId: '1', audience: 'selected', startAt: '2030-01-01T00:00', period: 'once' },
  ...{ subject: 's', name: 'n', key: 'k', fullName: 'A', password: 'a password of some length', provider: 'postmark' },
  ...{ 'g0.match': 'any', 'g0.0.field': 'comment', 'g0.0.op': 'isOneOf', 'b.0.kind': 'text', page: '/messages/new' },
  ...{ version: '1', action: 'tag' },
};
/** How large a body these pages take: as `http/body.ts` says, with room for what callers add. */
const formBytes = (path) =>
  /^\/(sign-in|register|forgot|reset|invitation)/.test(path)
    ? 7_500
    : /^\/(messages|mailings|drafts)/.test(path)
      ? 1_000_000
      : 120_000;
const encodedBytes = (text) => new URLSearchParams({ a: text }).toString().length - 2;
const longForms = Object.entries(FORMS).flatMap(([path, names]) =>
  Object.entries({ commas: 'a,', braces: '{{', spaces: ' \n', angles: '<a', addresses: 'a@b ', slashes: '/.' }).flatMap(
    ([of, piece]) =>
      [false, true].map((isRight) => ({
        name: `${isRight ? 'later texts' : 'texts'} of ${path}: ${of}`,
        method: 'POST',
        path,
        type: 'application/x-www-form-urlencoded',
        who: 'session',
        body: () => {
          const all = names.split(' ');
          const long = all.filter((name) => !isRight || !(name in RIGHT));
          const times = Math.floor(formBytes(path) / Math.max(1, long.length) / encodedBytes(piece));
          const values = all.map((name) => [name, long.includes(name) ? repeat(piece, times) : (RIGHT[name] ?? '')]);
          return new URLSearchParams(values).toString();
        },
      })),
  ),
);

/** @type {Input[]} */
export const inputs = [
  ...longForms,
  ...pagesOfDear,
  ...json(
    '/api/v1/auth/login',
    {
      '160,000 names, nobody signed in': () => `{${names(160_000)}}`,
      '500 names, nobody signed in': () => `{${names(500)}}`,
      '8 KB of brackets, nobody signed in': () => repeat('[', 8_000),
      '8 KB of quotes, nobody signed in': () => repeat('"', 8_000),
      'a number of 8 KB, nobody signed in': () => `{"email":${repeat('9', 8_000)}}`,
      'a wrong password of 7 KB, nobody signed in': () =>
        JSON.stringify({ email: 'adversary@example.org', password: repeat('x', 7_000) }),
      'an address of letters that fold to many, nobody signed in': () =>
        JSON.stringify({ email: `a@${repeat('ﷺ', 2_500)}.org`, password: 'x' }),
      'an address of combining marks, nobody signed in': () =>
        JSON.stringify({ email: `a@b${repeat('\u0301\u0323', 100)}.org`, password: 'x' }),
      'an address of dots, nobody signed in': () =>
        JSON.stringify({ email: `${repeat('a.', 2_000)}@${repeat('b.', 1_500)}`, password: 'x' }),
    },
    'nobody',
  ),
  ...json('/api/v1/mailings', {
    '600,000 objects': () => `[${repeat('{},', 600_000)}{}]`,
    '600,000 objects in a field': () => `{"clientIds":[${repeat('{},', 600_000)}{}]}`,
    '1,000 objects': () => `{"clientIds":[${repeat('{},', 990)}{}]}`,
    'nested 5,000 deep': () => repeat('{"a":', 5_000) + '1' + repeat('}', 5_000),
    'one name 200,000 times': () => `{${repeat('"a":1,', 200_000)}"a":1}`,
    '500 names': () => `{${names(499)}}`,
    'names of objects': () => `{"__proto__":{"a":1},"constructor":{"prototype":1},"toString":1}`,
    '2 MB of one string': () => `{"name":"${repeat('x', 2_000_000)}"}`,
    '2 MB of escapes': () => `{"name":"${repeat('\\u0000', 340_000)}"}`,
    '2 MB of backslashes': () => `{"name":"${repeat('\\\\', 1_000_000)}"}`,
    '2 MB of one number': () => `{"messageId":${repeat('9', 2_000_000)}}`,
    '2 MB of spaces': () => repeat(' ', 2_000_000),
    '100,000 numbers that are no ids': () => `{"clientIds":[${list(100_000, (i) => i + 0.5)}]}`,
    '100,000 texts': () => `{"clientIds":[${list(100_000, (i) => `"${i}"`)}]}`,
    'a name of 2 MB': () => `{"${repeat('x', 2_000_000)}":1}`,
    '1 MB of one string': () => `{"name":"${repeat('x', 1_000_000)}"}`,
    '1 MB of one number': () => `{"messageId":${repeat('9', 1_000_000)}}`,
    '1 MB of one fraction': () => `{"messageId":0.${repeat('1', 1_000_000)}}`,
    '1 MB of a number with an exponent': () => `{"messageId":1e${repeat('9', 1_000_000)}}`,
    '1,000 numbers of 900 digits': () => `{"clientIds":[${list(1_000, () => repeat('9', 900))}]}`,
    '1 MB of backslashes': () => `{"name":"${repeat('\\\\', 500_000)}"}`,
    '1 MB of escaped quotes': () => `{"name":"${repeat('\\"', 500_000)}"}`,
    '1 MB of empty strings': () => `[${repeat('"",', 140_000)}"${repeat(' ', 600_000)}"]`,
    '1 MB of spaces': () => repeat(' ', 1_000_000),
    '1 MB that is not UTF-8': () => Buffer.alloc(1_000_000, 0xff),
    '1 MB of signs that choose a variant': () => JSON.stringify({ name: repeat('\ufe0f', 330_000) }),
    '1 MB of letters outside the BMP': () => JSON.stringify({ name: repeat('😀', 250_000) }),
    '1 MB of a time zone': () => JSON.stringify({ ...MAILING, timeZone: repeat('Europe/', 140_000) }),
    '1 MB of a time': () => JSON.stringify({ ...MAILING, startAt: `2030-01-01T00:00:00.${repeat('1', 1_000_000)}Z` }),
    '1 MB of a period': () => JSON.stringify({ ...MAILING, period: repeat('weekly', 160_000) }),
  }),
  ...json('/api/v1/mailings/1/clients', { '100,000 ids': () => `{"clientIds":[${list(100_000, (i) => i + 1e6)}]}` }),
  ...json('/api/v1/clients', {
    '2 MB of spaces in a comment': () =>
      JSON.stringify({ email: 'a@b.org', fullName: 'x', comment: `a${repeat(' ', 2e6)}b` }),
    'an address of spaces': () => JSON.stringify({ email: `a${repeat(' ', 990)}b`, fullName: 'x' }),
  }),
  ...json('/api/v1/tokens', { 'scopes: 100,000': () => `{"name":"x","scopes":[${list(100_000, () => '"read"')}]}` }),
  ...form('/mailings/new', {
    'form: 1 MB of addresses': () =>
      `messageId=1&audience=selected&startAt=2030-01-01T00:00&clientIds=${list(35_000, (i) => `client${i}%40example.org`)}`,
    'form: 1 MB of A@': () =>
      `messageId=1&audience=selected&startAt=2030-01-01T00:00&clientIds=${repeat('A@b+', 240_000)}`,
    'form: 1 MB of percent signs': () => `name=${repeat('%', 1_000_000)}`,
    'form: 1 MB of escapes': () => `name=${repeat('%D0%AF', 166_000)}`,
    'form: 1 MB of one field': () => `name=${repeat('x', 1_000_000)}`,
    'form: 199 fields of 5 KB': () => Array.from({ length: 199 }, (_, i) => `k${i}=${repeat('x', 5_000)}`).join('&'),
    'form: 100,000 names': () => Array.from({ length: 100_000 }, (_, i) => `k${i}=1`).join('&'),
    'form: 2 MB without an address': () =>
      `messageId=1&audience=selected&startAt=2030-01-01T00:00&clientIds=${repeat('a', 2_000_000)}`,
    'form: 2 MB of @': () =>
      `messageId=1&audience=selected&startAt=2030-01-01T00:00&clientIds=${repeat('@', 2_000_000)}`,
    'form: 500,000 fields': () => repeat('a=1&', 500_000),
    'form: one field in 500,000 brackets': () => `a${repeat('[a]', 500_000)}=1`,
    'form: 2 MB of percent signs': () => `name=${repeat('%', 2_000_000)}`,
  }),
  ...form('/messages/new', {
    'form: 2 MB of a body': () => `subject=s&body=${repeat('%3Cp%3E', 280_000)}`,
    'form: 1 MB of a body': () => `subject=s&body=${repeat('%3Cp%3E', 140_000)}`,
    'form: the largest body': () => `subject=s&body=${repeat('%3Cp%3E', 66_000)}`,
    'form: the largest Cyrillic body': () => `subject=s&body=${repeat('%D0%AF', 160_000)}`,
  }),
  ...form('/messages/preview', {
    'form: a preview of 66,000 tags': () => `subject=s&body=${repeat('%3Cp%3E', 66_000)}`,
  }),
  ...csv({
    'CSV: quotes that close and open, 150 KB': () => repeat('a","\n', 30_000),
    'CSV: quotes that never close, 150 KB': () => repeat('a,"b\n', 30_000),
    'CSV: one quote, 1 MB': () => `a,"${repeat('b', 1_000_000)}`,
    'CSV: no line break, 1 MB': () => repeat('a', 1_000_000),
    'CSV: delimiters, 150 KB': () => repeat(',', 150_000),
    'CSV: an address of 90,000 spaces': () => `a${repeat(' ', 90_000)}b,x,y\n`,
    'CSV: long records with clients in them': () => repeat(`"${repeat('a@b.org,B,c\n', 300)}",x,y\n`, 40),
    'CSV: doubled quotes, 150 KB': () => repeat('"', 150_000),
    'CSV: 150 KB of lines that are no clients': () => repeat('x\n', 75_000),
    'CSV: every other line a client, 150 KB': () => list(5_000, (i) => `\na${i}@b.org,B,c\nx,y`),
    'CSV: one address, 150 KB': () => repeat('a@b.org,B,c\n', 12_500),
    'CSV: 5,000 clients, 150 KB': () => list(5_000, (i) => `\nclient${i}@example.org,B`),
    'CSV: quotes that close and open, 1 MB': () => repeat('a","\n', 200_000),
    'CSV: 1 MB of empty lines': () => repeat('\n', 1_000_000),
    'CSV: 1 MB of returns': () => repeat('\r', 1_000_000),
    'CSV: 1 MB of NUL': () => repeat('\0', 1_000_000),
    'CSV: 1 MB in one quoted field of lines': () => `a@b.org,"${repeat('x\n', 500_000)}`,
    'CSV: 1 MB of quoted fields of 90,000 lines': () => repeat(`a@b.org,x,"${repeat('\n', 90_000)}"\n`, 11),
    'CSV: 1 MB in one line of 100,000': () => repeat(`${repeat(',', 99_000)}\n`, 10),
  }),
  ...csvFiles({
    'CSV: 1 MB of UTF-16': () => Buffer.from(`\ufeffemail,full_name\n${repeat('x\n', 250_000)}`, 'utf16le'),
    'CSV: 1 MB of Windows-1251': () => Buffer.concat([Buffer.from('email,full_name\n'), Buffer.alloc(1_000_000, 0xff)]),
    'CSV: 1 MB of empty lines before the header': () => repeat('\n', 1_000_000),
    'CSV: 1 MB of lines sep=': () => repeat('sep=;\n', 166_000),
    'CSV: a header of 45,000 columns': () => `email,full_name${repeat(',a', 45_000)}\na@b.org,B\n`,
    'CSV: a header of quotes': () => `${repeat('"', 90_000)}\n`,
    'CSV: a header of spaces': () => `email,full_name,${repeat(' ', 90_000)}x\n`,
  }),
  ...inspected({
    'a kept file of 1 MB of one quoted field': () => `email,"${repeat('b\n', 500_000)}`,
    'a kept file of a header of 45,000 columns': () => `email${repeat(',status', 45_000)}\na@b.org\n`,
    'a kept file of 1 MB that no encoding fits': () => Buffer.alloc(1_000_000, 0x81),
    'a kept file of 1 MB of Han': () => Buffer.from(repeat('email\u738b\n', 130_000), 'utf16le'),
    'a kept file that only begins as a workbook': () =>
      Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(1_000_000)]),
  }),
  ...multipart({
    '16,000 parts': () => repeat(part('Content-Disposition: form-data; name="a"'), 16_000),
    '50,000 parts without a name': () => repeat(part('X: y'), 50_000),
    'a part with 50,000 headers': () => part(`${repeat('a: b\r\n', 50_000)}${FILE_PART}`),
    'a header of 1 MB': () => part(`${FILE_PART}; x="${repeat('\\"', 500_000)}"`),
    'a header of 8 KB of escapes': () => part(`${FILE_PART}; filename*=utf-8''${repeat('%41', 2_600)}`),
    '1 MB of hyphens': () => repeat('-', 1_000_000),
    '1 MB of beginnings': () => part(FILE_PART, repeat('\r\n--', 250_000)),
    '1 MB of a field': () => part('Content-Disposition: form-data; name="a"', repeat('x', 1_000_000)),
    '1,000 files': () => repeat(part(FILE_PART, 'email,full_name\n'), 1_000),
  }),
  ...['application/json', 'text/csv'].map((type) => ({
    name: `50 MB packed into 50 KB, ${type}`,
    method: 'POST',
    path: type === 'text/csv' ? '/api/v1/clients/import' : '/api/v1/clients',
    type,
    who: 'user',
    headers: () => ({ 'content-encoding': 'gzip' }),
    body: bomb,
  })),
  ...template(templates),
  ...blocks,
  ...uploads,
  ...['sendgrid', 'ses', 'mailgun', 'nobody'].map((provider) => ({
    name: `a webhook of ${provider} with 10 MB, nobody knows its secret`,
    method: 'POST',
    path: `/api/v1/inbound/${provider}/${repeat('a', 43)}`,
    type: 'application/json',
    who: 'nobody',
    body: () => repeat('[', 10_000_000),
  })),
  ...get({
    '900 fields': Array.from({ length: 900 }, (_, i) => `k${i}=1`).join('&'),
    '200 wildcards': `search=${repeat('%25', 200)}`,
    brackets: `a${repeat('[a]', 3_000)}=1`,
    'a cursor of 500 characters': `cursor=${repeat('A', 500)}`,
    'a long number': `ownerId=${repeat('9', 10_000)}`,
    'deep brackets': `filter${repeat('[a]', 4_000)}=1`,
    'one name 1,600 times': repeat('search=a&', 1_600),
    'percent signs': `search=${repeat('%', 14_000)}`,
    escapes: `search=${repeat('%F0%9F%98%80', 200)}`,
    '200 underscores': `search=${repeat('_', 200)}`,
    '200 backslashes': `search=${repeat('%5C', 200)}`,
    'letters that fold': `search=${repeat('%C4%B0', 200)}&withTotal=true`,
    ampersands: repeat('&', 14_000),
    'a cursor of brackets': `cursor=${Buffer.from(repeat('[', 370)).toString('base64url')}`,
    'a cursor of a long text': `cursor=${Buffer.from(JSON.stringify([repeat('a', 350), 1])).toString('base64url')}`,
  }),
  ...heads({
    '1,200 headers': ['/clients', Object.fromEntries(Array.from({ length: 1_200 }, (_, i) => [`x${i}`, 'y']))],
    '3,700 cookies': ['/clients', { cookie: repeat('a=b;', HEAD / 4) }, 'nobody'],
    'cookies of percent signs': ['/clients', { cookie: `gonets=${repeat('%', HEAD)}` }, 'nobody'],
    'cookies of equal signs': ['/clients', { cookie: repeat('=', HEAD) }, 'nobody'],
    languages: ['/sign-in', { 'accept-language': repeat('x,', HEAD / 2) }, 'nobody'],
    encodings: ['/sign-in', { 'accept-encoding': repeat('x;q=0.1,', HEAD / 8) }, 'nobody'],
    'accepted types': ['/sign-in', { accept: repeat('a/b;q=0.1,', HEAD / 10) }, 'nobody'],
    proxies: ['/sign-in', { 'x-forwarded-for': repeat('127.0.0.1,', HEAD / 10) }, 'nobody'],
    'proxies of nothing': ['/sign-in', { 'x-forwarded-for': repeat(',', HEAD) }, 'nobody'],
    'an address of brackets': ['/sign-in', { 'x-forwarded-for': repeat('[', HEAD) }, 'nobody'],
    tags: ['/assets/app.css', { 'if-none-match': repeat('W/"a",', HEAD / 6) }, 'nobody'],
    ranges: ['/assets/app.css', { range: `bytes=${repeat('0-1,', HEAD / 4)}` }, 'nobody'],
    'a token of 15 KB': ['/api/v1/clients', { authorization: `Bearer ${repeat('a', HEAD)}` }, 'nobody'],
    'a path of slashes': [repeat('/', HEAD), {}, 'nobody'],
    'a path of dots': [`/assets${repeat('/..', HEAD / 3)}`, {}, 'nobody'],
    'a path of escapes': [`/api/v1/clients/${repeat('%41', HEAD / 3)}`, {}, 'nobody'],
    'a long next': [`/sign-in?next=${repeat('/', HEAD)}`, {}, 'nobody'],
    'a page with 3,000 parameters': [`/clients?${repeat('a=b&', HEAD / 4)}`, {}],
    'a report of a long range': ['/api/v1/reports?from=0001-01-01T00:00:00Z&to=9999-12-31T00:00:00Z', {}, 'user'],
    'a schedule of a long range': [
      '/mailings/schedule?startAt=0001-01-01T00:00&period=daily&timeZone=Europe/Moscow',
      {},
    ],
    'an export with wildcards': [`/api/v1/clients/export.csv?search=${repeat('%25_', 60)}`, {}, 'user'],
    "the API's description": ['/api/docs-json', {}, 'nobody'],
    metrics: ['/api/v1/metrics', {}, 'nobody'],
  }),
  ...Object.entries({
    'a page before of slashes': () => repeat('/', HEAD),
    'a page before of parameters': () => `/clients?${repeat('a=b&', HEAD / 4)}`,
    'a page before of escapes': () => `/clients/${repeat('%2F', HEAD / 3)}`,
  }).flatMap(([name, before]) =>
    ['nobody', 'session'].map((who) => ({
      name: `head: ${name}, ${who}`,
      method: 'POST',
      path: '/clients/9999999/delete',
      type: 'application/x-www-form-urlencoded',
      who,
      body: () => 'a=b',
      headers: (base) => ({ referer: base + before() }),
    })),
  ),
];
