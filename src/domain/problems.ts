import type { JSON_BOUNDS } from './json-bounds';
import type { Period } from './recurrence';

/** The code needs no values. */
type None = Record<string, never>;
/** The position in a template, counted from 1; absent if unknown. */
type Place = { line?: number; column?: number };

/**
 * All that can be wrong with a field of an input: codes, which are stable, and the values that their texts name. Each
 * has a text in every language: a catalogue that lacks one does not compile.
 */
export interface ProblemValues {
  // Of any field
  required: None;
  empty: None;
  wrong_type: { wanted: 'string' | 'integer' | 'boolean' | 'list' | 'object' | 'id' | 'ids' };
  too_short: { min: number };
  too_long: { max: number };
  too_small: { min: number };
  too_large: { max: number };
  too_many: { max: number; what: 'ids' | 'addresses' | 'fields' | 'options' | 'tags' };
  one_of: { options: readonly string[] };
  some_of: { options: readonly string[] };
  not_one_line: None;
  controls: None;
  nul: None;
  broken_character: None;
  unknown_field: None;
  too_complex: { bound: keyof typeof JSON_BOUNDS; max: number };
  idempotency_key: { max: number };
  cursor: None;
  /** A text that is not from a catalogue: of the operating system, or stored by an earlier version. */
  verbatim: { text: string };

  // Times
  date_time: { fault: 'form' | 'leap_second' | 'calendar' | 'local' };
  day: None;
  time_zone: None;
  past: None;
  end_before_start: None;
  to_before_from: None;
  too_many_periods: { max: number };
  only_first: { period: Period };

  // Mailings and clients
  message_wanted: None;
  unknown_message: { id: number };
  unknown_mailing: { id: number };
  unknown_client: { id: number };
  unknown_addresses: { count: number; shown: readonly string[] };
  clients_of_all: None;
  /** Either some clients are named, or a filter; not both, not neither. */
  clients_or_filter: None;

  // Fields of clients
  field_key: None;
  repeated_option: { option: string };
  field_key_taken: { key: string };
  /** The name of something that every client has. */
  field_key_reserved: { key: string };
  number: None;
  yes_no: None;
  /** All values of a client's fields together, in bytes. */
  fields_too_long: { max: number };
  /** No field has this key; `similar` is the key that was probably meant. */
  no_such_field: { key: string; similar: string | null };

  // Sign-up forms
  https_url: None;
  web_origin: None;
  // Tags of clients
  tag_comma: None;
  /** No tag of this owner has this id. */
  no_other_tag: { id: number };

  // Segments
  /** Neither a group nor a condition. */
  filter_shape: None;
  filter_empty: None;
  filter_too_deep: { max: number };
  too_many_conditions: { max: number };
  too_many_values: { max: number };
  /** The operator is none of those of the field's type. */
  wrong_operator: { type: string; options: readonly string[] };
  value_not_wanted: { op: string };
  /** No tag has this name; `similar` is the name that was probably meant. */
  no_such_tag: { name: string; similar: string | null };
  unknown_segment: { id: number };
  /** A segment was given for an audience that has none. */
  segment_not_taken: None;
  /** The mailing goes to the segment that it leaves out. */
  segment_left_out: None;

  // Accounts and addresses
  email: { fault: EmailFault; max?: number };
  common_password: None;
  own_address: None;
  wrong_password: None;
  wrong_code: None;

  // Templates and letters
  too_many_tags: { max: number };
  too_many_words: { max: number };
  /** `similar` is the name that was probably meant. */
  unknown_variable: Place & { name: string; known: readonly string[]; similar: string | null };
  unknown_filter: Place & { name: string; known: readonly string[] };
  unknown_tag: Place & { name: string; known: readonly string[] };
  not_assignable: Place & { name: string };
  template_limit: Place & { bound: TemplateBound; max?: number };
  /** `text` is what the template's parser says. */
  template: Place & { text: string };
  footer_hidden: None;

  // Documents of blocks
  document: { fault: DocumentFault; max?: number };
  /** `block` is the number of the block, from 1; `text` what is wrong. */
  document_block: { block: number; fault: BlockFault; text?: string };
  document_variable: { block: number; name: string; known: readonly string[]; similar: string | null };
  picture_source: None;
  colour: None;
  /** It is not seen on white: `contrast` is less than `min`. */
  colour_faint: { contrast: number; min: number };
  /** A message has either a document or HTML. */
  document_or_html: None;
  /** What was written as HTML stays so. */
  document_of_html: None;

  unusable: { fault: UnusableFault; bits?: number };

  // Files of clients
  file_missing: None;
  quote_open: None;
  quote_trailing: None;
  columns: { has: number; wanted: number; extra: boolean };
  repeated: { line: number };
  file_header: { line: number; found: string };
  file_header_long: { line: number; max: number };
  file_empty: None;
  file_without_clients: None;
  /** The same of a file of addresses. */
  file_header_email: { line: number; found: string };
  file_without_addresses: None;
  file_foreign: { what: 'workbook' | 'old_workbook' | 'gzip' | 'pdf' };
  /** None of the first `lines` is a client; `first` is the problem of line `line`. */
  file_of_others: { lines: number; line: number; first: CodedProblem };
  file_too_large: { max: number };
  upload_ended: None;
  upload_abandoned: None;
  upload_failed: None;
  /** A mapping names a column that the file does not have. */
  no_such_column: { columns: number };
  mapped_twice: { target: string };
  no_email_column: None;
  file_expired: None;
  /** The process that read it did not come to an end, so many times. */
  file_unreadable: { times: number };
  /** The owner's kept files, in bytes. */
  files_kept: { max: number };
  /** A word in a column of states that is not known. */
  unknown_status: None;
  too_many_new_tags: { max: number };
  tags_full: { max: number; fresh: number };
  workbook: { fault: WorkbookFault; max?: number };

  // Pictures and attachments
  picture_empty: None;
  picture_type: None;
  /** The file is not whole, or not what it says. */
  picture_broken: None;
  /** In bytes: of the file, and of what is made of it. */
  picture_too_large: { max: number };
  picture_heavy: { max: number };
  picture_pixels: { max: number };
  too_many_files: { max: number };
  attachment_empty: None;
  attachment_type: { ending: string };
  /** All of a message together, in bytes. */
  attachments_too_large: { max: number };
}

/** Why a text is not an e-mail address; `max` belongs to the problems of length, in octets. */
export type EmailFault =
  | 'empty'
  | 'control'
  | 'invisible'
  | 'long'
  | 'quoted'
  | 'comment'
  | 'no_at'
  | 'many_ats'
  | 'no_local'
  | 'utf8_local'
  | 'long_local'
  | 'dots_local'
  | 'bad_local'
  | 'no_domain'
  | 'literal'
  | 'bad_domain'
  | 'bad_idn'
  | 'no_dot'
  | 'bad_label'
  | 'number';

/** What is wrong with a document as a whole; `max` belongs to the bounds: kilobytes, blocks, nodes within nodes, characters. */
export type DocumentFault = 'shape' | 'version' | 'bytes' | 'blocks' | 'depth' | 'html';

export type BlockFault = 'type' | 'content' | 'picture' | 'link' | 'no_link' | 'no_text' | 'lists';

export type TemplateBound = 'depth' | 'output' | 'steps' | 'levels' | 'filters' | 'brackets';

/** Why a workbook can't be read; `max` belongs to the bounds. */
export type WorkbookFault =
  'broken' | 'no_workbook' | 'encrypted' | 'no_sheet' | 'entries' | 'bytes' | 'strings' | 'texts' | 'columns';

/** Why a setting or a header can't be used for letters. */
export type UnusableFault =
  | 'list_id'
  | 'message_id'
  | 'boundary'
  | 'link'
  | 'sender_name'
  | 'date'
  | 'header'
  | 'long_word'
  | 'dkim_domain'
  | 'dkim_selector'
  | 'dkim_same_selector'
  | 'dkim_key'
  | 'dkim_pem'
  | 'signing_key';

export type ProblemCode = keyof ProblemValues;

/** One thing that is wrong. */
export type CodedProblem<C extends ProblemCode = ProblemCode> = {
  [K in C]: { code: K; values: ProblemValues[K] };
}[C];

/** One thing that is wrong with one input field; `field` is the path the caller used (`clientIds.3`). */
export type FieldProblem = { field: string } & CodedProblem;

/** A language's texts for all codes. */
export type ProblemTexts = { [C in ProblemCode]: (values: ProblemValues[C]) => string };

export function problem<C extends ProblemCode>(
  code: C,
  ...[values]: ProblemValues[C] extends None ? [] : [values: ProblemValues[C]]
): CodedProblem<C> {
  return { code, values: values ?? {} } as CodedProblem<C>;
}

const NONE: FieldProblem[] = [];

/** The problem of one field as a list to be joined with others; an empty list for null. */
export const at = (field: string, found: CodedProblem | null): readonly FieldProblem[] =>
  found ? [{ field, ...found }] : NONE;

export const worded = <C extends ProblemCode>(texts: ProblemTexts, { code, values }: CodedProblem<C>): string =>
  texts[code](values);
