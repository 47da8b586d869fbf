import fc from 'fast-check';
import { backOf, formPage } from '../../src/domain/form-pages';
import { afterChange, keptFields, opened, versionOf } from '../../src/web/kept-form';

describe('the address of a page with a form', () => {
  it.each([
    ['/messages/7', '/messages/7'],
    ['/messages/7?x=1', '/messages/7'],
    ['/messages/new?back=/mailings/new', '/messages/new?back=%2Fmailings%2Fnew'],
    ['/messages/new?back=%2Fmailings%2F7%2Fedit', '/messages/new?back=%2Fmailings%2F7%2Fedit'],
    ['/messages/new?back=//evil.example', '/messages/new'],
    ['/messages/new?back=https://evil.example', '/messages/new'],
    ['/messages/new?back=/account', '/messages/new'],
    ['/messages/new?as=html&plain=1', '/messages/new?as=html'],
    [
      '/messages/new?as=blocks&starter=news&back=/mailings/new',
      '/messages/new?as=blocks&starter=news&back=%2Fmailings%2Fnew',
    ],
    ['/messages/new?as=x&starter=news', '/messages/new'],
    ['/messages/new?as=blocks&starter=../x', '/messages/new?as=blocks'],
    ['/mailings/new?messageId=5&x=1', '/mailings/new?messageId=5'],
    ['/mailings/new?segmentId=x', '/mailings/new'],
    ['/mailings/7/edit', '/mailings/7/edit'],
    ['/sender', '/sender'],
    ['/sender?window=0a1b2c3d', '/sender?window=0a1b2c3d'],
    ['/sender?window=0a1b2c3', '/sender'],
    [
      '/messages/new?back=/mailings/new%3FsegmentId=3%26window=0a1b2c3d',
      '/messages/new?back=%2Fmailings%2Fnew%3FsegmentId%3D3%26window%3D0a1b2c3d',
    ],
    ['/messages/new?back=/mailings/new%26window=0a1b2c3d', '/messages/new'],
  ])('%s is %s', (given, page) => expect(formPage(given)).toBe(page));

  it.each([
    '/',
    '/mailings/7',
    '/clients/7',
    '/account',
    '//evil/messages/7',
    '/messages/7/',
    '/messages/x',
    7,
    null,
    undefined,
  ])('%s is none', (given) => expect(formPage(given)).toBeNull());

  it('is the same, asked for again, and never leads away', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const given of [text, `/messages/new?back=${text}`, `/mailings/new?${text}`]) {
          const page = formPage(given);
          if (page === null) continue;
          expect(formPage(page)).toBe(page);
          expect(page).toMatch(/^\/[a-z]/);
          expect(backOf(page) ?? '/mailings/').toMatch(/^\/mailings\//);
        }
      }),
    );
  });
});

const CHANGED = { version: 2, by: null, at: '2027-01-01T00:00:00.000Z' };
const values = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'g0.match', 'g0.0.value', 'g0.1.value'),
  fc.constantFrom('', '1', '2', 'x\ny'),
  {
    noNullPrototype: true,
  },
);
const asSent = (form: Record<string, string>) =>
  Object.fromEntries(Object.entries(form).map(([name, value]) => [name, value.replaceAll('\n', '\r\n')]));
const shown = (form: Record<string, string>) => opened({ draft: null }, form, 1).values;

describe('a form whose thing was changed meanwhile', () => {
  it('keeps what was typed, and takes what only others changed', () => {
    const before = { subject: 'S', body: 'B', text: 'T' };
    const form = { ...shown(before), body: 'mine', text: 'my text', page: '/messages/7' };
    const late = afterChange(
      form,
      { values: { subject: 'theirs', body: 'B', text: 'their text' }, version: 2 },
      CHANGED,
    );
    expect(late.values).toMatchObject({
      subject: 'theirs',
      body: 'mine',
      text: 'my text',
      version: '2',
      page: '/messages/7',
    });
    expect(late.meanwhile).toEqual({
      ...CHANGED,
      taken: ['subject'],
      differences: [{ name: 'text', theirs: { text: 'their text' }, mine: { text: 'my text' } }],
    });
  });

  it('takes or keeps the conditions of a segment together', () => {
    const before = { 'g0.match': 'all', 'g0.0.value': 'a' };
    const form = { ...shown(before), 'g0.0.value': 'mine' };
    const now = { 'g0.match': 'any', 'g0.0.value': 'a', 'g0.1.value': 'b' };
    const late = afterChange(form, { values: now, version: 2 }, CHANGED);
    expect(late.values).toMatchObject({ 'g0.match': 'all', 'g0.0.value': 'mine' });
    expect(late.values).not.toHaveProperty('g0.1.value');
    expect(late.meanwhile?.differences.map(({ name }) => name)).toEqual(['filter']);
  });

  it('loses nothing that only one of the two changed', () => {
    fc.assert(
      fc.property(values, values, values, (before, typed, theirs) => {
        const { version, was } = shown(before);
        const late = afterChange(
          { ...asSent(typed), version: version!, was: was! },
          { values: theirs, version: 2 },
          CHANGED,
        );
        const is = (form: Record<string, string>, name: string) => (form[name] ?? '').replaceAll('\r\n', '\n');
        for (const name of ['a', 'b', 'c']) {
          const [old, mine, their, result] = [before, typed, theirs, late.values].map((form) => is(form, name));
          if (mine === old) expect([name, result]).toEqual([name, their]);
          else expect([name, result]).toEqual([name, mine]);
          const isTold = late.meanwhile!.differences.some((difference) => difference.name === name);
          expect([name, isTold]).toEqual([name, mine !== old && their !== old && mine !== their]);
        }
      }),
    );
  });
});

describe('what is kept of a form', () => {
  it('has no tokens and keys', () => {
    const form = {
      subject: 'S',
      _csrf: 'x',
      key: 'k',
      for: '1',
      page: '/messages/7',
      previewId: 'p',
      previewOf: '7',
      then: 'schedule',
      findMessage: 'x',
      findClient: 'x',
      version: '1',
      was: 'w',
    };
    expect(keptFields(form)).toEqual({ subject: 'S', version: '1', was: 'w' });
    expect(versionOf(form)).toEqual({ version: 1 });
    expect([versionOf({}), versionOf({ version: 'x' }), versionOf({ version: '1e3' })]).toEqual([{}, {}, {}]);
  });

  it('is shown as a draft if it differs from what is saved, whatever breaks the browser puts between lines', () => {
    const keptAt = new Date(0);
    const draft = (fields: Record<string, string>) =>
      opened({ draft: { fields, keptAt } }, { body: 'a\nb', tick: '' }, 1);
    expect(draft({ body: 'a\r\nb' }).draftOf).toBeUndefined();
    expect(draft({ body: 'a\r\nc' })).toMatchObject({ draftOf: keptAt, values: { body: 'a\r\nc' } });
  });
});
