import { type FieldDefinition, type FieldType, checkValue, keyProblem } from './client-fields';
import { folded, isStatusFlag, readStatus } from './csv-status';
import { cut } from './cut';
import { parseEmailAddress } from './email-address';
import { at, type CodedProblem, type FieldProblem, problem } from './problems';
import { similarTo } from './similar';

const PLAIN_TARGETS = [
  'email',
  'fullName',
  'firstName',
  'middleName',
  'lastName',
  'comment',
  'tags',
  'status',
  'ignore',
] as const;
type PlainTarget = (typeof PLAIN_TARGETS)[number];
/** What a column of a file holds; `fields.` is followed by the key of one of the owner's fields. */
export type ColumnTarget = PlainTarget | `fields.${string}`;
/** By the column's index. Columns that it does not name are ignored. */
export type ColumnMapping = Readonly<Record<string, ColumnTarget>>;

/** A column of a file, with some of its values. */
export interface ColumnSeen {
  header: string;
  samples: readonly string[];
}

export interface Suggestion {
  target: ColumnTarget;
  /** The field that could be made for the column. */
  newField: { key: string; label: string; type: FieldType };
}

const names = (words: string): string[] => words.split(/\s+/).map(folded);

/** The names of a column, the preferred first; a hyphen stands for anything but letters and digits. */
const NAMES: Record<Exclude<PlainTarget, 'ignore'>, string[]> = {
  email: names(
    `email e-mail-address mail email-1-value subscriber primary-email subscriber-email contact-email email-1 work-email email-id
     почта электронная-почта эл-почта э-почта эл-адрес имейл емейл мейл адрес-электронной-почты электронный-адрес
     адрес-эп email-клиента email-контрагента адрес-email e-mail-адрес адрес-e-mail email-адрес эл-почта-клиента
     e-mail-adresse mail-adresse email-adresse adresse-e-mail adresse-mail adresse-email adresse-électronique
     adresse-de-messagerie courriel courrier-électronique correo correo-electrónico dirección-de-correo-electrónico
     dirección-de-correo email-del-contacto`,
  ),
  fullName: names(
    `full-name fio фио полное-имя имя-и-фамилия фамилия-и-имя фамилия-имя-отчество фамилия-имя ф-и-о display-name contact-name
     subscriber-name клиент client contact контактное-лицо контрагент наименование полное-наименование
     наименование-полное vollständiger-name voller-name vor-und-nachname nom-complet nom-et-prénom prénom-et-nom nombre-completo nombre-y-apellidos
     anzeigename nom-affiché`,
  ),
  firstName: names('first-name given-name fname forename vorname prénom nombre-de-pila primer-nombre имя-клиента'),
  middleName: names('middle-name additional-name отчество zweiter-vorname deuxième-prénom segundo-nombre'),
  lastName: names(
    'last-name family-name surname lname фамилия nachname familienname nom-de-famille apellidos apellido primer-apellido',
  ),
  comment: names(
    `comment comments note notes комментарий комментарии примечание примечания заметка заметки
     kommentar bemerkung bemerkungen notiz notizen anmerkung anmerkungen remarque remarques commentaire commentaires
     notas comentario comentarios observaciones`,
  ),
  tags: names(
    `tags tag теги тег тэги метки метка labels label group-membership groups group categories category email-lists
     lists list-name list-names list-membership ярлыки группы группа категории категория schlagwörter gruppen gruppe kategorien kategorie
     étiquettes groupes groupe catégories catégorie etiquetas grupos grupo categorías categoría`,
  ),
  status: names(
    `status subscription-status subscriber-status email-status email-marketing-status marketing-status
     marketing-contact-status email-permission-status email-permissions-status contact-status member-rating-status
     статус статус-подписки состояние statut estado state`,
  ),
};
/** Tags by a name that may as well be about something else are only suggested, never taken by themselves. */
const SURE_TAGS = new Set(NAMES.tags.slice(0, 9));
/** Of these the values decide. */
const DOUBTFUL_STATUS = new Set(names('status статус состояние statut estado state contact-status'));
const PLACES = new Set(names('state estado'));
/** Names that mean the whole name, or the part of it that no other column has. */
const FIRST_OR_FULL = names('name имя nombre');
const LAST_OR_FULL = names('name nom');

/**
 * What each column probably holds, by its name and, where the name is not known, by its values. Each column of a client
 * is suggested once, except for status.
 */
export function suggestMapping(columns: readonly ColumnSeen[], definitions: readonly FieldDefinition[]): Suggestion[] {
  const targets = mapHeaders(
    columns.map(({ header }) => header),
    definitions,
    (name, i) => !DOUBTFUL_STATUS.has(name) || saysStatus(columns[i] as ColumnSeen),
  );
  const email = targets.indexOf('email');
  if (addressShare(columns[email]) < 0.5) {
    const shares = columns.map(addressShare);
    const best = shares.indexOf(Math.max(...shares));
    if ((shares[best] ?? 0) >= 0.5 && best !== email) {
      if (email >= 0 && (shares[email] ?? 0) === 0) targets[email] = 'ignore';
      if (!targets.includes('email')) targets[best] = 'email';
    }
  }
  const taken = new Set(definitions.map(({ key }) => key.toLowerCase()));
  return columns.map((column, i) => ({ target: targets[i] ?? 'ignore', newField: newFieldFor(column, i, taken) }));
}

/**
 * The mapping by the names alone, for files that are taken as they are.
 * @param definitions the owner's fields: a column is one if it has its key or label for a name
 */
export const mapSurely = (headers: readonly string[], definitions: readonly FieldDefinition[]): ColumnTarget[] =>
  mapHeaders(headers, definitions, (name, _, target) =>
    target === 'tags' ? SURE_TAGS.has(name) : target !== 'status' || !PLACES.has(name),
  );

function mapHeaders(
  headers: readonly string[],
  definitions: readonly FieldDefinition[],
  fits: (name: string, index: number, target: PlainTarget) => boolean,
): ColumnTarget[] {
  const folds = headers.map(folded);
  const targets = folds.map((): ColumnTarget => 'ignore');
  // A header may have ten thousands of columns: each is looked at once, not once for each name.
  const places = new Map<string, number[]>();
  folds.forEach((name, i) => {
    const known = places.get(name);
    if (known) known.push(i);
    else places.set(name, [i]);
  });
  const free = (i: number) => targets[i] === 'ignore';
  const take = (target: PlainTarget, among: readonly string[]): boolean => {
    for (const name of among) {
      const i = places.get(name)?.find((at) => free(at) && fits(name, at, target));
      if (i === undefined) continue;
      targets[i] = target;
      return true;
    }
    return false;
  };
  take('email', NAMES.email);
  for (const { key, label } of definitions) {
    const own = [key, label].map(folded).filter((name) => name !== '');
    const i = own.flatMap((name) => places.get(name)?.find(free) ?? []).sort((a, b) => a - b)[0];
    if (i !== undefined) targets[i] = `fields.${key}`;
  }
  takeNames(take);
  take('comment', NAMES.comment);
  take('tags', NAMES.tags);
  folds.forEach((name, i) => {
    if (!free(i) || name === '') return;
    if (isStatusFlag(headers[i] ?? '') || (NAMES.status.includes(name) && fits(name, i, 'status')))
      targets[i] = 'status';
  });
  return targets;
}

/**
 * A whole name, or its parts: `Name` beside `Vorname` is the family's, `Имя` beside `Фамилия` the given one. `Name`
 * beside both is made of them, as Google Contacts had it.
 */
function takeNames(take: (target: PlainTarget, among: readonly string[]) => boolean): void {
  if (take('fullName', NAMES.fullName)) return;
  const first = take('firstName', NAMES.firstName);
  const last = take('lastName', NAMES.lastName);
  if (first && !last) take('lastName', LAST_OR_FULL);
  else if (last && !first) take('firstName', FIRST_OR_FULL);
  else if (!first) take('fullName', [...FIRST_OR_FULL, ...LAST_OR_FULL]);
  if (first || last) take('middleName', NAMES.middleName);
}

const filled = ({ samples }: ColumnSeen): string[] => samples.filter((text) => text.trim() !== '');

function addressShare(column: ColumnSeen | undefined): number {
  const values = column ? filled(column) : [];
  return values.length === 0 ? 0 : values.filter((text) => parseEmailAddress(text.trim()).ok).length / values.length;
}

const saysStatus = (column: ColumnSeen): boolean =>
  filled(column).some((value) => ![null, 'unknown'].includes(readStatus(column.header, value) as string | null));

/** The type that all samples have; text if there are none. Zeros and signs in front belong to numbers that are names. */
function typeOf(column: ColumnSeen): FieldType {
  const values = filled(column);
  const all = (type: FieldType) =>
    values.length > 0 && values.every((v) => checkValue({ key: '', label: '', type, options: [] }, v).ok);
  if (all('date')) return 'date';
  if (all('number') && !values.some((v) => /^\s*[+0]\d|^\s*\d{10,}/.test(v))) {
    return values.every((v) => /^[01]$/.test(v.trim())) ? 'boolean' : 'number';
  }
  return all('boolean') ? 'boolean' : 'text';
}

const LATIN: Record<string, string> = Object.fromEntries(
  'а:a б:b в:v г:g д:d е:e ё:e ж:zh з:z и:i й:y к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u ф:f х:h ц:ts ч:ch ш:sh щ:sch ъ: ы:y ь: э:e ю:yu я:ya і:i ї:yi є:ye ґ:g ß:ss æ:ae ø:o ł:l đ:d œ:oe'
    .split(' ')
    .map((pair) => pair.split(':') as [string, string]),
);

/** A key made of the column's name; `taken` are the keys that others have, in lower case, to which it is added. */
function newFieldFor(column: ColumnSeen, index: number, taken: Set<string>): Suggestion['newField'] {
  const label = cut(column.header.replace(/\s+/g, ' ').trim(), 100) || `Column ${index + 1}`;
  const plain = label
    .toLowerCase()
    .replace(/[^a-z0-9]/g, (c) => LATIN[c] ?? c)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[_\d]+|_+$/g, '')
    .slice(0, 36);
  const base =
    plain !== '' && keyProblem(plain) === null ? plain : `${/^[a-z]/.test(plain) ? plain : 'field'}_${index + 1}`;
  let key = base.slice(0, 40);
  for (let n = 2; taken.has(key); n++) key = `${base.slice(0, 36)}_${n}`;
  taken.add(key);
  return { key, label, type: typeOf(column) };
}

const REPEATABLE = new Set<string>(['ignore', 'status', 'tags']);

/** A mapping as given by a caller, checked against the columns of the file and the owner's fields. */
export function checkMapping(
  given: Readonly<Record<string, unknown>>,
  width: number,
  definitions: readonly FieldDefinition[],
): { mapping: ColumnMapping; errors: FieldProblem[] } {
  const mapping: Record<string, ColumnTarget> = {};
  const errors: FieldProblem[] = [];
  const keys = new Set(definitions.map(({ key }) => key));
  const seen = new Set<string>();
  for (const [index, target] of Object.entries(given)) {
    const wrong = targetProblem(index, target, { width, keys, seen });
    if (wrong) errors.push(...at(`mapping.${index.slice(0, 20)}`, wrong));
    else {
      seen.add(target as string);
      mapping[Number(index)] = target as ColumnTarget;
    }
  }
  if (errors.length === 0 && !seen.has('email')) errors.push(...at('mapping', problem('no_email_column')));
  return { mapping, errors };
}

function targetProblem(
  index: string,
  target: unknown,
  { width, keys, seen }: { width: number; keys: ReadonlySet<string>; seen: ReadonlySet<string> },
): CodedProblem | null {
  if (!/^\d{1,4}$/.test(index) || Number(index) >= width) return problem('no_such_column', { columns: width });
  if (typeof target !== 'string') return problem('wrong_type', { wanted: 'string' });
  if (seen.has(target) && !REPEATABLE.has(target)) return problem('mapped_twice', { target });
  if (target.startsWith('fields.')) {
    const key = target.slice('fields.'.length);
    return keys.has(key)
      ? null
      : problem('no_such_field', { key: key.slice(0, 60), similar: similarTo(key, [...keys]) });
  }
  return PLAIN_TARGETS.includes(target as PlainTarget)
    ? null
    : problem('one_of', { options: [...PLAIN_TARGETS, 'fields.KEY'] });
}
