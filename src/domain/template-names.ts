import type { Template, Token } from 'liquidjs';
import { TOLD_ERRORS } from './errors';
import { type CodedProblem, problem } from './problems';
import { similarTo } from './similar';
import { variablesOf, type Named } from './template-variables';

/** Every variable that a template may use, with what the editor says about it. */
export const TEMPLATE_VARIABLES: readonly { name: string; description: string }[] = [
  { name: 'client.fullName', description: "The client's full name" },
  { name: 'client.email', description: "The client's e-mail address" },
  { name: 'client.comment', description: 'The comment kept on the client' },
  { name: 'mailing.name', description: "The mailing's name" },
  { name: 'sender.name', description: "The sender's name" },
  { name: 'sender.email', description: "The sender's e-mail address" },
  { name: 'unsubscribeUrl', description: 'The address of the page on which the client unsubscribes' },
  { name: 'senderAddress', description: 'The postal address of the sender' },
  { name: 'date', description: 'The date of the letter; for example {{ date | date: "%d.%m.%Y" }}' },
];

const VARIABLES = new Set(TEMPLATE_VARIABLES.map((variable) => variable.name));
const ROOTS = new Set(TEMPLATE_VARIABLES.map((variable) => variable.name.split('.')[0]!));
const CLIENT = 'client.';
/** How a field of clients that their owner defined may be called (see client-fields.ts). */
const OWN_FIELD = /^client\.[a-zA-Z]\w{0,39}$/;

/**
 * The fields that the owner of a message defined, by key. `any`: whatever may be one, because it was checked when the
 * message was written; a field that has been deleted since is empty.
 */
export type OwnFields = readonly string[] | 'any';

/** The properties of `forloop` that templates may use; as a JavaScript object it also has those of every object. */
const LOOP_VARIABLES = 'first last index index0 rindex rindex0 length'.split(' ').map((name) => `forloop.${name}`);

/** The owner's fields that are read, by key. */
export const ownFieldsOf = (templates: Template[]): string[] =>
  variablesOf(templates)
    .global.map(({ name }) => name)
    .filter((name) => !VARIABLES.has(name) && isOwnField(name, 'any'))
    .map((name) => name.slice(CLIENT.length));

/** Names that every object of JavaScript has are nobody's field. */
const isOwnField = (name: string, fields: OwnFields): boolean =>
  fields === 'any'
    ? OWN_FIELD.test(name) && !(name.slice(CLIENT.length) in {})
    : name.startsWith(CLIENT) && fields.includes(name.slice(CLIENT.length));

/** @param own whether the service itself wrote it: then it may name the footer's text, too */
export function variableProblems(templates: Template[], fields: OwnFields, own: boolean): CodedProblem[] {
  const { global, made, read } = variablesOf(templates);
  const problems = new Map<string, CodedProblem>();
  // The position of each is searched for from the template's beginning, so only as many are reported as the caller
  // shows.
  const report = ({ name, token }: Named, known?: readonly string[]) => {
    if (problems.has(name) || problems.size > TOLD_ERRORS) return;
    const named = { ...placeOf(token), name };
    problems.set(
      name,
      known
        ? problem('unknown_variable', { ...named, known, similar: meantBy(name, known) })
        : problem('not_assignable', named),
    );
  };
  const known = [...VARIABLES, ...(fields === 'any' ? [] : fields.map((key) => `${CLIENT}${key}`))];
  for (const variable of global) {
    const { name } = variable;
    if (!VARIABLES.has(name) && !isOwnField(name, fields) && !(own && name === 'footerText')) report(variable, known);
  }
  for (const variable of made) if (ROOTS.has(variable.name)) report(variable);
  for (const variable of read)
    if (/^forloop\b/.test(variable.name) && !LOOP_VARIABLES.includes(variable.name)) report(variable, LOOP_VARIABLES);
  return [...problems.values()];
}

/** Null if a template may use the variable; else those that it may, and the one that was probably meant. */
export function similarVariable(
  name: string,
  fields: OwnFields,
): { known: readonly string[]; similar: string | null } | null {
  if (VARIABLES.has(name) || isOwnField(name, fields)) return null;
  const known = [...VARIABLES, ...(fields === 'any' ? [] : fields.map((key) => `${CLIENT}${key}`))];
  return { known, similar: meantBy(name, known) };
}

/** The known name that was probably meant. What stands before the point is no likeness. */
function meantBy(name: string, known: readonly string[]): string | null {
  if (known.includes(`${CLIENT}${name}`)) return `${CLIENT}${name}`;
  if (!name.startsWith(CLIENT)) return similarTo(name, known);
  const keys = known.filter((each) => each.startsWith(CLIENT)).map((each) => each.slice(CLIENT.length));
  const key = similarTo(name.slice(CLIENT.length), keys);
  return key && `${CLIENT}${key}`;
}

export function placeOf(token: Token): { line: number; column: number } {
  const [line, column] = token.getPosition() as [number, number];
  return { line, column };
}
