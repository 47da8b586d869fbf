import fc from 'fast-check';
import type { FieldDefinition } from '../../src/domain/client-fields';
import {
  type AskedOf,
  checkForm,
  checkSignup,
  type FormGround,
  type KnownOf,
  NEW_FORM,
  signupStep,
  stillValid,
} from '../../src/domain/signup-form';
import { suppressionReasons } from '../../src/domain/suppression';

const city: FieldDefinition = { key: 'city', label: 'City', type: 'text', options: [] };
const size: FieldDefinition = { key: 'size', label: 'Size', type: 'choice', options: ['S', 'M'] };
const ground: FormGround = {
  fields: [city, size],
  tags: [
    { id: 1, name: 'News', public: true },
    { id: 2, name: 'Secret', public: false },
  ],
};
const form = { ...NEW_FORM, language: 'en' as const, fullName: 'optional' as const, name: 'Site', title: 'Our news' };
const check = (more: object) => checkForm({ ...form, ...more }, ground);
const problemsOf = (more: object) => {
  const result = check(more);
  return result.ok ? [] : result.errors.map(({ field, code }) => `${field} ${code}`);
};

describe('a form', () => {
  test.each([
    [{ name: ' ' }, ['name empty']],
    [{ title: 'a\nb' }, ['title not_one_line']],
    [{ title: 'x'.repeat(201) }, ['title too_long']],
    [{ intro: 'x'.repeat(2_001) }, ['intro too_long']],
    [{ consentText: 'a\u0007b' }, ['consentText controls']],
    [{ redirectUrl: 'http://shop.example' }, ['redirectUrl https_url']],
    [{ redirectUrl: 'javascript:alert(1)' }, ['redirectUrl https_url']],
    [{ redirectUrl: 'https://me:secret@shop.example' }, ['redirectUrl https_url']],
    [{ fields: ['nothing'] }, ['fields some_of']],
    [{ fields: ['city'], requiredFields: ['size'] }, ['requiredFields some_of']],
    [{ topics: ['Secret'] }, ['topics some_of']],
    [{ topics: ['News', 'Olds'] }, ['topics some_of']],
    [{ tags: ['Olds'] }, ['tags some_of']],
    [{ allowedOrigins: ['https://shop.example/page'] }, ['allowedOrigins web_origin']],
    [{ allowedOrigins: ['*'] }, ['allowedOrigins web_origin']],
    [{ allowedOrigins: ['null'] }, ['allowedOrigins web_origin']],
    [{ allowedOrigins: Array.from({ length: 21 }, (_, i) => `https://s${i}.example`) }, ['allowedOrigins too_many']],
  ])('%j: %j', (more, problems) => expect(problemsOf(more)).toEqual(problems));

  test('names its tags whatever the case, and its sites as browsers do', () => {
    const result = check({
      topics: ['news', 'NEWS'],
      tags: ['secret', 'News'],
      allowedOrigins: ['https://Shop.example:443/', 'http://localhost:8080', 'https://shop.example'],
      redirectUrl: ' https://shop.example/спасибо ',
    });
    expect(result).toMatchObject({
      ok: true,
      form: {
        topicIds: [1],
        tagIds: [2, 1],
        allowedOrigins: ['https://shop.example', 'http://localhost:8080'],
        redirectUrl: 'https://shop.example/%D1%81%D0%BF%D0%B0%D1%81%D0%B8%D0%B1%D0%BE',
      },
    });
  });
});

const asked: AskedOf = {
  fullName: 'required',
  fields: [
    { ...city, required: true },
    { ...size, required: false },
  ],
  topics: [{ id: 1, name: 'News' }],
};
const sent = { email: ' Ann@Example.org ', fullName: ' Ann ', fields: { city: 'Perm' }, topics: ['news'] };
const signupProblems = (more: object, of: AskedOf = asked) => {
  const result = checkSignup(of, { ...sent, ...more });
  return result.ok ? [] : result.errors.map(({ field, code }) => `${field} ${code}`);
};

describe('a sign-up', () => {
  test('has what the form asks for', () => {
    expect(checkSignup(asked, sent)).toEqual({
      ok: true,
      signup: {
        email: 'Ann@example.org',
        fullName: 'Ann',
        fields: { city: 'Perm' },
        topics: [{ id: 1, name: 'News' }],
      },
    });
  });

  test.each([
    [{ email: 'a@b@c.de' }, ['email email']],
    [{ email: 'a@b.de\r\nBcc: c@d.ee' }, ['email email']],
    [{ fullName: '' }, ['fullName required']],
    [{ fullName: 'Ann\r\nBcc: x@y.zz' }, ['fullName not_one_line']],
    [{ fields: {} }, ['fields.city required']],
    [{ fields: { city: 'Perm', size: 'XL' } }, ['fields.size one_of']],
    [{ fields: { city: 'Perm', phone: '1' } }, ['fields.phone no_such_field']],
    [{ topics: ['Secret'] }, ['topics some_of']],
  ])('%j: %j', (more, problems) => expect(signupProblems(more)).toEqual(problems));

  test('by a form that does not ask for the name has none', () => {
    expect(checkSignup({ ...asked, fullName: 'hidden' }, sent)).toMatchObject({ ok: true, signup: { fullName: '' } });
  });

  test('keeps of its values those that are still allowed', () => {
    expect(stillValid([{ ...size, options: ['M'] }], { city: 'Perm', size: 'S' })).toEqual({});
    expect(stillValid([city, size], { city: 'Perm', size: 'S' })).toEqual({ city: 'Perm', size: 'S' });
  });
});

describe('what follows from a sign-up', () => {
  test.each<[KnownOf, withLetter: string, without: string]>([
    [{ client: 'none', suppressed: [] }, 'confirm', 'take'],
    [{ client: 'unconfirmed', suppressed: [] }, 'confirm', 'confirm'],
    [{ client: 'confirmed', suppressed: [] }, 'choose', 'choose'],
    [{ client: 'none', suppressed: ['unsubscribed'] }, 'confirm', 'confirm'],
    [{ client: 'confirmed', suppressed: ['unsubscribed'] }, 'confirm', 'confirm'],
    [{ client: 'none', suppressed: ['complaint'] }, 'keep_silent', 'keep_silent'],
    [{ client: 'confirmed', suppressed: ['hard_bounce'] }, 'keep_silent', 'keep_silent'],
    [{ client: 'confirmed', suppressed: ['unsubscribed', 'manual'] }, 'keep_silent', 'keep_silent'],
    [{ client: 'unconfirmed', suppressed: ['invalid'] }, 'keep_silent', 'keep_silent'],
  ])('%j: %s, without double opt-in %s', (known, withLetter, without) => {
    expect([signupStep(known, true), signupStep(known, false)]).toEqual([withLetter, without]);
  });

  test('nobody but a new address is ever taken without a letter, and none that takes no mail gets one', () => {
    const known = fc.record({
      client: fc.constantFrom('none' as const, 'unconfirmed' as const, 'confirmed' as const),
      suppressed: fc.subarray([...suppressionReasons]),
    });
    fc.assert(
      fc.property(known, fc.boolean(), (of, doubleOptIn) => {
        const step = signupStep(of, doubleOptIn);
        if (step === 'take') expect([of.client, of.suppressed, doubleOptIn]).toEqual(['none', [], false]);
        if (of.suppressed.some((reason) => reason !== 'unsubscribed')) expect(step).toBe('keep_silent');
      }),
    );
  });
});
