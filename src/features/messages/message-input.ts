import { singleLineProblem } from '../../domain/email-address';
import { invalid, ValidationError } from '../../domain/errors';
import type { LetterDocument } from '../../domain/letter-document/schema';
import { problem } from '../../domain/problems';
import { compileContent, ownFieldsIn } from '../../domain/template';
import type { ClientField } from '../clients/client-field.entity';
import { isOffered } from '../clients/field-definitions';
import type { Message } from './message.entity';

/** A message as somebody gives it: HTML, with or without a text part, or a document of blocks. */
export interface MessageInput {
  /** What its owner calls it; empty: by its subject. */
  name?: string | null;
  subject: string;
  body?: string | null;
  bodyText?: string | null;
  /** Anything: it is checked. */
  document?: unknown;
}

/** What is stored. */
export interface MessageContent {
  name: string;
  subject: string;
  body: string;
  bodyText: string | null;
  document: LetterDocument | null;
}

const NAME_MAX = 200;
export const SUBJECT_MAX = 1_000;

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** @throws ValidationError if it is given both ways, or neither */
export function requireOneWay({ body, bodyText, document }: Partial<MessageInput>): void {
  const other = isGiven(body) ? 'body' : isGiven(bodyText) ? 'bodyText' : null;
  if (isGiven(document) && other !== null) throw invalid(other, problem('document_or_html'));
}

/**
 * What a change makes of a message. HTML makes a message of blocks one of HTML, for good; the other way there is none.
 * @throws ValidationError
 */
export function changed(current: MessageContent, change: Partial<MessageInput>): MessageInput {
  requireOneWay(change);
  const name = change.name === undefined ? current.name : change.name;
  const subject = change.subject ?? current.subject;
  if (current.document === null) {
    if (isGiven(change.document)) throw invalid('document', problem('document_of_html'));
    const bodyText = change.bodyText === undefined ? current.bodyText : change.bodyText;
    return { name, subject, body: change.body ?? current.body, bodyText };
  }
  if (isGiven(change.body)) return { name, subject, body: change.body!, bodyText: change.bodyText ?? null };
  if (isGiven(change.bodyText)) throw invalid('bodyText', problem('document_or_html'));
  return { name, subject, document: change.document ?? current.document };
}

/** The keys of the fields that a message may name: archived ones only if it names them already. */
export function usableKeys(fields: ClientField[], present?: Pick<Message, 'subject' | 'body' | 'bodyText'>): string[] {
  const named = present && !fields.every(isOffered) ? ownFieldsIn(present) : new Set();
  return fields.filter((field) => isOffered(field) || named.has(field.key)).map(({ key }) => key);
}

/** @throws ValidationError: what is wrong with the parts that were made of a document is the document's */
export function checkContent(content: MessageContent, fields: string[]): MessageContent {
  const { name, subject, body, bodyText, document } = content;
  const wrongName = name === '' ? null : singleLineProblem(name, NAME_MAX);
  if (wrongName) throw invalid('name', wrongName);
  const wrong = singleLineProblem(subject, SUBJECT_MAX);
  if (wrong) throw invalid('subject', wrong);
  const compiled = compileContent({ subject, body, bodyText: bodyText ?? undefined }, undefined, fields);
  if (compiled.ok) return content;
  const at = (field: string) => (document !== null && field !== 'subject' ? 'document' : field);
  throw new ValidationError(compiled.errors.map((found) => ({ ...found, field: at(found.field) })));
}
