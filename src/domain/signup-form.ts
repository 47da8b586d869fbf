import {
  checkValue,
  checkValues,
  type FieldChange,
  type FieldDefinition,
  type FieldValues,
  valuesProblem,
} from './client-fields';
import { parseEmailAddress, singleLineProblem } from './email-address';
import type { Language } from './language';
import { at, type CodedProblem, type FieldProblem, problem } from './problems';
import type { SuppressionReason } from './suppression';

/** Whether a form asks for the full name. */
export const nameModes = ['hidden', 'optional', 'required'] as const;
export type NameMode = (typeof nameModes)[number];

/** A form by which people sign up, as its owner writes it. */
export interface SignupFormInput {
  /** For the owner; people see the title. */
  name: string;
  language: Language;
  title: string;
  intro: string;
  /** What people read when they are done; empty: a sentence of ours. */
  thanks: string;
  /** What people agree to; it is kept with each sign-up as it was shown. */
  consentText: string;
  /** Where people are led when they are done; empty: a page of ours. */
  redirectUrl: string;
  /** Whether an address counts only once its person has used the link in a letter. */
  doubleOptIn: boolean;
  fullName: NameMode;
  /** The keys of the owner's fields that it asks for, and of those that must be filled in. */
  fields: readonly string[];
  requiredFields: readonly string[];
  /** The names of public tags that people choose from. */
  topics: readonly string[];
  /** The names of tags that everybody gets. */
  tags: readonly string[];
  /** The sites whose scripts may send it. */
  allowedOrigins: readonly string[];
}

/** What a new form is, as far as its owner says nothing else. */
export const NEW_FORM = {
  language: 'en',
  intro: '',
  thanks: '',
  consentText: '',
  redirectUrl: '',
  doubleOptIn: true,
  fullName: 'optional',
  fields: [],
  requiredFields: [],
  topics: [],
  tags: [],
  allowedOrigins: [],
} satisfies Partial<SignupFormInput>;

/** Of the owner's fields and tags, what a form may name. */
export interface FormGround {
  fields: readonly FieldDefinition[];
  tags: readonly { id: number; name: string; public: boolean }[];
}

/** A form that may be stored; its tags are ids. */
export type CheckedForm = Omit<SignupFormInput, 'topics' | 'tags' | 'redirectUrl'> & {
  redirectUrl: string | null;
  topicIds: number[];
  tagIds: number[];
};

const TEXT_MAX = 2_000;
const ORIGINS_MAX = 20;
export const FORM_TAGS_MAX = 50;
const CONTROLS =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

const plain = (text: string): string => text.replace(/\r\n?/g, '\n').trim();

function textProblem(text: string): CodedProblem | null {
  if (text.length > TEXT_MAX) return problem('too_long', { max: TEXT_MAX });
  return CONTROLS.test(text) ? problem('controls') : null;
}

const lineProblem = (text: string, max: number): CodedProblem | null =>
  text === '' ? problem('empty') : singleLineProblem(text, max);

/** The rules for a form. A name of a tag is found whatever its case. */
export function checkForm(
  input: SignupFormInput,
  ground: FormGround,
): { ok: true; form: CheckedForm } | { ok: false; errors: FieldProblem[] } {
  const { doubleOptIn, language, fullName } = input;
  const texts = {
    name: input.name.trim(),
    title: input.title.trim(),
    intro: plain(input.intro),
    thanks: plain(input.thanks),
    consentText: plain(input.consentText),
  };
  const redirect = input.redirectUrl.trim();
  const redirectUrl = redirect === '' ? null : httpsUrl(redirect);
  const fields = [...new Set(input.fields)];
  const required = [...new Set(input.requiredFields)];
  const topics = tagsNamed(
    input.topics,
    ground.tags.filter((tag) => tag.public),
  );
  const tags = tagsNamed(input.tags, ground.tags);
  const origins = input.allowedOrigins.map((text) => text.trim()).filter((text) => text !== '');
  const allowedOrigins = [...new Set(origins.map(originOf))];
  const keys = ground.fields.map(({ key }) => key);
  const errors = [
    ...at('name', lineProblem(texts.name, 100)),
    ...at('title', lineProblem(texts.title, 200)),
    ...at('intro', textProblem(texts.intro)),
    ...at('thanks', textProblem(texts.thanks)),
    ...at('consentText', textProblem(texts.consentText)),
    ...at('redirectUrl', redirect !== '' && redirectUrl === null ? problem('https_url') : null),
    ...at('fields', fields.every((key) => keys.includes(key)) ? null : problem('some_of', { options: keys })),
    ...at(
      'requiredFields',
      required.every((key) => fields.includes(key)) ? null : problem('some_of', { options: fields }),
    ),
    ...at('topics', topics.problem),
    ...at('tags', tags.problem),
    ...at(
      'allowedOrigins',
      origins.length > ORIGINS_MAX ? problem('too_many', { max: ORIGINS_MAX, what: 'addresses' }) : null,
    ),
    ...at('allowedOrigins', allowedOrigins.includes(null) ? problem('web_origin') : null),
  ];
  if (errors.length > 0) return { ok: false, errors };
  return {
    ok: true,
    form: {
      ...texts,
      doubleOptIn,
      language,
      fullName,
      fields,
      requiredFields: required,
      redirectUrl,
      topicIds: topics.ids,
      tagIds: tags.ids,
      allowedOrigins: allowedOrigins.filter((origin) => origin !== null),
    },
  };
}

function tagsNamed(
  names: readonly string[],
  tags: FormGround['tags'],
): { ids: number[]; problem: CodedProblem | null } {
  if (names.length > FORM_TAGS_MAX)
    return { ids: [], problem: problem('too_many', { max: FORM_TAGS_MAX, what: 'options' }) };
  const byName = new Map(tags.map(({ id, name }) => [folded(name), id]));
  const ids = names.map((name) => byName.get(folded(name)));
  const known = ids.filter((id) => id !== undefined);
  const wrong =
    known.length < ids.length
      ? problem('some_of', { options: tags.slice(0, FORM_TAGS_MAX).map(({ name }) => name) })
      : null;
  return { ids: [...new Set(known)], problem: wrong };
}

const folded = (name: string): string => name.trim().toLowerCase();

/** The address as browsers write it, or null: only https, without a name and password, and not too long. */
function httpsUrl(text: string): string | null {
  if (text.length > TEXT_MAX || !URL.canParse(text)) return null;
  const url = new URL(text);
  return url.protocol === 'https:' && url.username === '' && url.password === '' ? url.href : null;
}

/** `https://shop.example`, as browsers name a site in `Origin`; null for anything else. */
function originOf(text: string): string | null {
  if (text.length > 300 || !URL.canParse(text)) return null;
  const url = new URL(text);
  const isOrigin =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return isOrigin && (url.protocol === 'https:' || url.protocol === 'http:') ? url.origin : null;
}

/** What a form asks for. */
export interface AskedOf {
  fullName: NameMode;
  fields: readonly (FieldDefinition & { required: boolean })[];
  topics: readonly { id: number; name: string }[];
}

/** What somebody sends by a form. */
export interface SignupInput {
  email: string;
  fullName: string;
  fields: Readonly<Record<string, unknown>>;
  /** The names of the chosen topics. */
  topics: readonly string[];
}

export interface CheckedSignup {
  email: string;
  fullName: string;
  fields: FieldValues;
  topics: { id: number; name: string }[];
}

/** The rules for a sign-up. What a form does not ask for is refused, or for the name not looked at. */
export function checkSignup(
  asked: AskedOf,
  input: SignupInput,
): { ok: true; signup: CheckedSignup } | { ok: false; errors: FieldProblem[] } {
  const email = parseEmailAddress(input.email);
  const fullName = asked.fullName === 'hidden' ? '' : input.fullName.trim();
  const { change, errors: wrong } = checkValues(asked.fields, input.fields);
  const fields = present(change);
  const missing = asked.fields.filter(({ key, required }) => required && !(key in fields));
  const topics = asked.topics.filter(({ name }) => input.topics.some((chosen) => folded(chosen) === folded(name)));
  const areOffered = input.topics.every((chosen) => asked.topics.some(({ name }) => folded(chosen) === folded(name)));
  const errors = [
    ...at('email', email.ok ? null : email.problem),
    ...at('fullName', fullName === '' ? null : singleLineProblem(fullName, 200)),
    ...at('fullName', fullName === '' && asked.fullName === 'required' ? problem('required') : null),
    ...wrong,
    ...missing
      .filter(({ key }) => !wrong.some(({ field }) => field === `fields.${key}`))
      .flatMap(({ key }) => at(`fields.${key}`, problem('required'))),
    ...at('fields', valuesProblem(fields)),
    ...at('topics', areOffered ? null : problem('some_of', { options: asked.topics.map(({ name }) => name) })),
  ];
  if (!email.ok || errors.length > 0) return { ok: false, errors };
  return { ok: true, signup: { email: email.email, fullName, fields, topics } };
}

const present = (change: FieldChange): FieldValues =>
  Object.fromEntries(
    Object.entries(change).filter((entry): entry is [string, string | number | boolean] => entry[1] !== null),
  );

/**
 * The values of a sign-up that its owner's fields still allow: a field may have been deleted, or an option of it, since
 * the form was sent.
 */
export const stillValid = (definitions: readonly FieldDefinition[], values: FieldValues): FieldValues =>
  Object.fromEntries(
    Object.entries(values).filter(([key, value]) => {
      const definition = definitions.find((each) => each.key === key);
      return definition !== undefined && checkValue(definition, value).ok;
    }),
  );

/** What is known of an address when somebody signs up with it. */
export interface KnownOf {
  client: 'none' | 'unconfirmed' | 'confirmed';
  /** Why it gets no mail of this owner. */
  suppressed: readonly SuppressionReason[];
}

/**
 * What follows from a sign-up. The answer to it is always the same.
 * - `confirm`: a letter with a link;
 * - `choose`: the same for somebody who is subscribed already: only with the link the new choices are taken over;
 * - `take`: taken at once, because the form asks for no letter and the address is new;
 * - `keep_silent`: nothing, because the address takes no mail, or its person does not want any of it.
 */
export type SignupStep = 'confirm' | 'choose' | 'take' | 'keep_silent';

/** Without double opt-in only new addresses are taken at once: anybody could change what is kept of the others. */
export function signupStep({ client, suppressed }: KnownOf, doubleOptIn: boolean): SignupStep {
  if (suppressed.some((reason) => reason !== 'unsubscribed')) return 'keep_silent';
  if (suppressed.length > 0 || client === 'unconfirmed') return 'confirm';
  if (client === 'confirmed') return 'choose';
  return doubleOptIn ? 'confirm' : 'take';
}
