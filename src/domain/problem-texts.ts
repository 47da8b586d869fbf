import {
  type BlockFault,
  type CodedProblem,
  type DocumentFault,
  type EmailFault,
  type ProblemTexts,
  type TemplateBound,
  type UnusableFault,
  type WorkbookFault,
  worded,
} from './problems';

const TYPES = {
  string: 'a string',
  integer: 'a whole number',
  boolean: 'true or false',
  list: 'a list',
  object: 'a JSON object',
  id: `a whole number from 1 to ${Number.MAX_SAFE_INTEGER}`,
};

const BOUNDS = {
  depth: (n: number) => `must not nest deeper than ${n} levels`,
  objects: (n: number) => `must contain at most ${n} objects and lists`,
  names: (n: number) => `must contain at most ${n} names`,
  digits: (n: number) => `must contain no number longer than ${n} characters`,
  values: (n: number) => `must contain at most ${n} values`,
};

const DATE_TIMES = {
  form: 'must be ISO-8601 with an offset, such as 2027-03-28T09:00:00Z or 2027-03-28T09:00:00+03:00',
  leap_second: 'has a leap second: seconds go from 00 to 59',
  calendar: 'is no date and time of the calendar',
  local: 'must be a date and time such as 2027-03-28T09:00',
};

const EMAILS: Record<EmailFault, string> = {
  empty: 'The e-mail address is empty.',
  control: 'The e-mail address contains a line break or another control character.',
  invisible: 'The e-mail address contains an invisible or broken character.',
  long: 'The e-mail address is longer than {n} octets.',
  quoted: 'A quoted local part is not supported.',
  comment: 'The e-mail address contains a comment.',
  no_at: 'The e-mail address has no @.',
  many_ats: 'The e-mail address has more than one @.',
  no_local: 'There is nothing before the @.',
  utf8_local:
    'Only Latin letters, digits and common signs may stand before the @: ' +
    'other characters need SMTPUTF8, which not every server has.',
  long_local: 'The part before the @ is longer than {n} octets.',
  dots_local: 'The part before the @ begins or ends with a dot, or has two dots in a row.',
  bad_local: 'The part before the @ contains a character that is not allowed there.',
  no_domain: 'There is nothing after the @.',
  literal: 'An address literal is not supported: the domain must be a name.',
  bad_domain: 'The domain contains a character that is not allowed.',
  bad_idn: 'The domain is not a valid internationalised name.',
  no_dot: 'The domain has no dot.',
  bad_label: 'Every part of the domain must be 1 to 63 letters, digits and inner hyphens.',
  number: 'The domain must not end with a number.',
};

const TEMPLATE_BOUNDS: Record<TemplateBound, string> = {
  depth: 'is nested too deeply',
  output: 'the output is too long',
  steps: 'the template takes too many steps',
  levels: 'has tags within each other deeper than {n} levels',
  filters: 'has more than {n} filters in one place',
  brackets: 'has brackets within each other deeper than {n} levels',
};

const DOCUMENT_FAULTS: Record<DocumentFault, string> = {
  shape:
    'must be { "version": 1, "preheader": "…", "doc": { "type": "doc", "content": [ … ] } } with at least one block',
  version: 'must be 1',
  bytes: 'must have at most {n} KB',
  blocks: 'must have at most {n} blocks',
  depth: 'must not be nested deeper than {n} blocks',
  html: 'would become HTML of more than {n} characters: leave something out',
};

const BLOCK_FAULTS: Record<BlockFault, string> = {
  type: 'unknown type',
  content: 'has attributes or contents that do not belong there',
  picture: 'needs a picture: media:HASH or an https address',
  link: 'no link: it begins with https://, http://, mailto: or tel:, or is one variable',
  no_link: 'needs a link',
  no_text: 'needs a text',
  lists: 'lists are nested too deeply',
};

const UNUSABLE: Record<UnusableFault, string> = {
  list_id: 'must be a dotted name',
  message_id: 'is not a Message-ID',
  boundary: 'is not a MIME boundary',
  sender_name: 'cannot contain " < or >',
  link: 'is not a link that fits into one line of a header',
  date: 'is not a date',
  header: 'is not a header that can be added',
  long_word: 'has a word that is too long',
  dkim_domain: 'is not a domain name',
  dkim_selector: 'is not a DKIM selector',
  dkim_same_selector: 'must not be that of the first key',
  dkim_key: 'must be an Ed25519 key, or an RSA key of at least {n} bits',
  dkim_pem: 'is not an unencrypted private key in PEM',
  signing_key: 'is not a key that this provider signs with',
};

const FOREIGN = {
  workbook: 'an Excel workbook or a ZIP archive',
  old_workbook: 'an old Excel workbook',
  gzip: 'a gzip archive',
  pdf: 'a PDF document',
};

const WORKBOOK: Record<WorkbookFault, string> = {
  broken: 'The workbook is damaged. Save it again, or as CSV.',
  no_workbook: 'The file is a ZIP archive, but no Excel workbook.',
  encrypted: 'The workbook is protected by a password. Save it without one.',
  no_sheet: 'The workbook has no such sheet.',
  entries: 'The workbook consists of more than {n} parts.',
  bytes: 'The workbook is larger than {n} bytes when it is unpacked.',
  strings: 'The workbook has more than {n} bytes of different texts.',
  texts: 'The workbook has more than {n} different texts.',
  columns: 'A row of the workbook has more than {n} columns.',
};

const COLUMNS = 'columns email, full_name and, if wished, comment, separated by commas, semicolons or tabs';

const filled = (text: string, n = 0) => text.replace('{n}', String(n));
const place = ({ line, column }: { line?: number; column?: number }) =>
  line === undefined ? '' : `line ${line}, column ${column}: `;
const megabytes = (bytes: number) => Math.round(bytes / 1024 / 1024);
const atLine = (line: number) => (line > 1 ? `Line ${line}: ` : '');

/**
 * The English texts for REST, command line and logs. A problem of a field continues a sentence that begins with the
 * field's name; a problem of an address or a file is a complete sentence.
 */
export const problemTexts: ProblemTexts = {
  required: () => 'is required',
  empty: () => 'must not be empty',
  wrong_type: ({ wanted }) =>
    wanted === 'ids'
      ? `must contain ids only: whole numbers from 1 to ${Number.MAX_SAFE_INTEGER}`
      : `must be ${TYPES[wanted]}`,
  too_short: ({ min }) => `must have at least ${min} characters`,
  too_long: ({ max }) => `must have at most ${max} characters`,
  too_small: ({ min }) => `must be at least ${min}`,
  too_large: ({ max }) => `must be at most ${max}`,
  too_many: ({ max, what }) => `must have at most ${max} ${what}`,
  one_of: ({ options }) => `must be one of ${options.join(', ')}`,
  some_of: ({ options }) => `must contain one or more of ${options.join(', ')}`,
  not_one_line: () => 'must be one line without control characters',
  controls: () => 'must not contain control characters',
  nul: () => 'must not contain the character NUL',
  broken_character: () => 'contains a broken character (\ufffd)',
  unknown_field: () => 'is not a field of this request',
  too_complex: ({ bound, max }) => BOUNDS[bound](max),
  idempotency_key: ({ max }) => `must be 1 to ${max} visible ASCII characters`,
  cursor: () => 'must be a nextCursor of this list',
  verbatim: ({ text }) => text,

  date_time: ({ fault }) => DATE_TIMES[fault],
  day: () => 'must be a day such as 2027-03-28',
  time_zone: () => 'must be an IANA time zone such as Europe/Athens or UTC',
  past: () => 'must lie in the future',
  end_before_start: () => 'must be later than startAt',
  to_before_from: () => 'must not be before from',
  too_many_periods: ({ max }) => `must be at most ${max} periods before to`,
  only_first: ({ period }) => `only the first ${period} sending comes before endAt`,

  message_wanted: () => 'must be the id of a message',
  unknown_message: ({ id }) => `message ${id} does not exist`,
  unknown_mailing: ({ id }) => `mailing ${id} does not exist`,
  unknown_client: ({ id }) => `client ${id} does not exist`,
  unknown_addresses: ({ count, shown }) => `${count} of these are no clients of yours: ${shown.join(', ')}`,
  clients_of_all: () => "must be absent unless the audience is 'selected'",
  clients_or_filter: () => 'must be given, or a filter instead of it',

  field_key: () => 'must be 1 to 40 Latin letters, digits and underscores, beginning with a letter',
  repeated_option: ({ option }) => `has "${option}" twice`,
  field_key_taken: ({ key }) => `is taken: there is a field "${key}"`,
  field_key_reserved: ({ key }) => `must not be "${key}", which every client has`,
  number: () => 'must be a number such as 1234.5',
  yes_no: () => 'must be true or false',
  fields_too_long: ({ max }) => `must take at most ${max} bytes together`,
  no_such_field: ({ key, similar }) =>
    `names no field: there is no "${key}"${similar === null ? '' : `; did you mean "${similar}"?`}`,

  https_url: () => 'must be an address that begins with https://',
  web_origin: () => 'must be the origins of sites, such as https://shop.example',
  tag_comma: () => 'must not contain a comma, which separates tags',
  no_other_tag: ({ id }) => `names no other tag of yours: ${id}`,
  filter_shape: () => 'must be { "all": [ … ] }, { "any": [ … ] }, { "not": … } or { "field", "op", "value" }',
  filter_empty: () => 'must contain a condition',
  filter_too_deep: ({ max }) => `must not have groups within each other deeper than ${max} levels`,
  too_many_conditions: ({ max }) => `must have at most ${max} conditions`,
  too_many_values: ({ max }) => `must have at most ${max} values`,
  wrong_operator: ({ type, options }) => `must be one of ${options.join(', ')} for a field of the type ${type}`,
  value_not_wanted: ({ op }) => `must be absent for ${op}`,
  no_such_tag: ({ name, similar }) =>
    `names no tag: there is no "${name}"${similar === null ? '' : `; did you mean "${similar}"?`}`,
  unknown_segment: ({ id }) => `segment ${id} does not exist`,
  segment_not_taken: () => "must be absent unless the audience is 'segment'",
  segment_left_out: () => 'must not be the segment to which the mailing goes',

  email: ({ fault, max }) => filled(EMAILS[fault], max),
  common_password: () => 'must not be one of the passwords that are guessed first',
  own_address: () => 'must not be your own e-mail address or a part of it',
  wrong_password: () => 'is not your password',
  wrong_code: () => 'is not a valid code, or was used already',

  too_many_tags: ({ max }) => `has more than ${max} outputs and tags`,
  too_many_words: ({ max }) => `has more than ${max} names and filters in its outputs and tags`,
  unknown_variable: (v) =>
    `${place(v)}unknown variable "${v.name}"; ` +
    `${v.similar === null ? '' : `did you mean "${v.similar}"? `}known are ${v.known.join(', ')}`,
  unknown_filter: (v) => `${place(v)}unknown filter "${v.name}"; known are ${v.known.join(', ')}`,
  unknown_tag: (v) => `${place(v)}unknown tag "${v.name}"; known are ${v.known.join(', ')}`,
  not_assignable: (v) => `${place(v)}"${v.name}" cannot be assigned to`,
  template_limit: (v) => place(v) + filled(TEMPLATE_BOUNDS[v.bound], v.max),
  template: (v) => `${place(v)}${v.text}`,
  footer_hidden: () =>
    'hides what stands at its end, so that nobody would see the link to unsubscribe: ' +
    'a comment or an element is not closed',
  document: ({ fault, max }) => filled(DOCUMENT_FAULTS[fault], max),
  document_block: ({ block, fault, text }) => `block ${block}: ${BLOCK_FAULTS[fault]}${text ? `: "${text}"` : ''}`,
  document_variable: ({ block, name, known, similar }) =>
    `block ${block}: unknown variable "${name}"; ` +
    `${similar === null ? '' : `did you mean "${similar}"? `}known are ${known.join(', ')}`,
  picture_source: () => 'must be media:HASH of a picture, or an address that begins with https://',
  colour: () => 'must be a colour such as #0f766e',
  colour_faint: ({ contrast, min }) =>
    `is too light: its contrast to white is ${contrast}, and must be at least ${min}`,
  document_or_html: () => 'must not be given together with body or bodyText: a message has either a document or HTML',
  document_of_html: () => 'is not possible: this message is HTML, and stays so',
  unusable: ({ fault, bits }) => filled(UNUSABLE[fault], bits),

  file_missing: () => 'is missing',
  quote_open: () => 'has a quotation mark that is not closed',
  quote_trailing: () => 'has text behind a closing quotation mark; a quotation mark within quotes must be doubled',
  columns: ({ has, wanted, extra }) =>
    `has ${has} columns where the header has ${wanted}` +
    (extra ? '; text that contains the delimiter must stand in quotation marks' : ''),
  repeated: ({ line }) => `repeats the address of line ${line}`,
  file_header: ({ line, found }) => `${atLine(line)}The first line must name the ${COLUMNS}; it is: ${found}`,
  file_header_long: ({ line, max }) => `${atLine(line)}The first line is longer than ${max} characters.`,
  file_empty: () => `The file is empty. It must begin with the ${COLUMNS}.`,
  file_header_email: ({ line, found }) =>
    `${atLine(line)}The first line must name the columns, one of them email, separated by commas, semicolons or tabs; it is: ${found}`,
  file_without_addresses: () => 'The file has a header, but no addresses.',
  file_without_clients: () => 'The file has a header, but no clients.',
  file_foreign: ({ what }) => `The file is ${FOREIGN[what]}, not a text. Save it as CSV first.`,
  file_of_others: ({ lines, line, first }) =>
    `None of the first ${lines} lines is a client: line ${line} ${english(first)}. ` +
    'Does the first line belong to this file?',
  file_too_large: ({ max }) => `The file is larger than ${max} bytes.`,
  upload_ended: () => 'The upload ended before the file was complete. Please upload it again.',
  upload_abandoned: () =>
    'The server was stopped while it received the file. No client was changed. Please upload it again.',
  upload_failed: () => 'The file could not be taken in because of an internal error. Please upload it again.',
  no_such_column: ({ columns }) => `is no column of the file; it has the columns 0 to ${columns - 1}`,
  mapped_twice: ({ target }) => `is ${target}, as another column is already`,
  file_expired: () => 'The columns of the file were not chosen within an hour. Please upload it again.',
  file_unreadable: ({ times }) =>
    `The server tried ${times} times to read the file, and did not succeed. Save it again, or as CSV.`,
  files_kept: ({ max }) =>
    `Your files that wait to be imported may have ${max} bytes together. ` +
    'Import them first, or wait: a file is forgotten an hour after it was uploaded.',
  no_email_column: () => 'must name the column of the e-mail addresses',
  unknown_status: () => 'is a word that says neither that the address gets mail nor why not',
  tags_full: ({ max, fresh }) =>
    `The file has ${fresh} tags that are not there yet. With them you would have more than ${max}, which is the most there may be.`,
  too_many_new_tags: ({ max }) => `The file has more than ${max} tags that are not there yet. Is it the right column?`,
  workbook: ({ fault, max }) => filled(WORKBOOK[fault], max),

  picture_empty: () => 'is empty: choose a picture',
  picture_type: () => 'must be a picture: JPEG, PNG, GIF or WebP',
  picture_broken: () => 'is damaged or not whole; it must be a JPEG, PNG, GIF or WebP that can be opened',
  picture_too_large: ({ max }) => `must have at most ${megabytes(max)} MB`,
  picture_heavy: ({ max }) =>
    `has more than ${megabytes(max)} MB when it is made ready for letters: choose one with fewer or smaller frames`,
  picture_pixels: ({ max }) =>
    `has too many pixels: at most ${max / 1_000_000} million, in an animation those of all frames together`,
  too_many_files: ({ max }) => `are too many: at most ${max}`,
  attachment_empty: () => 'is empty',
  attachment_type: ({ ending }) =>
    `is of the type ${ending}, which mail servers refuse; PDF and office files are taken`,
  attachments_too_large: ({ max }) =>
    `is too much: the attachments of a message may have ${megabytes(max)} MB together`,
};

export const english = (found: CodedProblem): string => worded(problemTexts, found);

/** A problem with its English words. */
export const told = <P extends CodedProblem>(found: P): P & { message: string } => ({
  ...found,
  message: english(found),
});

export const isProblemCode = (code: unknown): code is keyof ProblemTexts =>
  typeof code === 'string' && Object.hasOwn(problemTexts, code);
