import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database, type Transaction } from '../../database/database';
import { listPage, newestFirst } from '../../database/list';
import { notWritable } from '../../database/owned';
import { actAs, requireVersion, sameContent } from '../../database/versions';
import { ConflictError, NotFoundError, ValidationError } from '../../domain/errors';
import type { Page, PageRequest } from '../../domain/paging';
import { readableOwner, type Viewer, writableOwner } from '../../domain/permissions';
import { type CheckedForm, checkForm, type FormGround, NEW_FORM, type SignupFormInput } from '../../domain/signup-form';
import { audit } from '../audit/audit';
import { offeredFields } from '../clients/field-definitions';
import { FORM_VIEW, readForm, type SignupFormView } from './form-view';
import { SignupForm } from './signup-form.entity';

/** What an owner says of a new form; what is absent is as in NEW_FORM. */
export type NewForm = Pick<SignupFormInput, 'name' | 'title'> & FormChange;
export type FormChange = { [K in keyof SignupFormInput]?: SignupFormInput[K] | null | undefined } & {
  closed?: boolean | null | undefined;
  /** The version that the caller began with. */
  version?: number;
};

export const FORMS_MAX = 100;

/** The forms by which people sign up for somebody's mailings. */
@Injectable()
export class SignupFormsService {
  constructor(private readonly database: Database) {}

  list(viewer: Viewer, query: PageRequest & { ownerId?: number }): Promise<Page<SignupFormView>> {
    return listPage<SignupFormView>(
      this.database,
      {
        ...FORM_VIEW,
        where: `($1::bigint IS NULL OR f.owner_id = $1) AND ($2::bigint IS NULL OR f.owner_id = $2)
                 AND f.deleted_at IS NULL`,
        params: [readableOwner(viewer), query.ownerId ?? null],
        ...newestFirst('f.id'),
        total: async (sql) =>
          (
            await sql.first<{ n: number }>(
              `SELECT count(*) AS n FROM signup_forms f WHERE ($1::bigint IS NULL OR f.owner_id = $1)
                AND ($2::bigint IS NULL OR f.owner_id = $2) AND f.deleted_at IS NULL`,
              [readableOwner(viewer), query.ownerId ?? null],
            )
          )?.n ?? 0,
      },
      query,
    );
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<SignupFormView> {
    const form = await readForm(this.database, id, readableOwner(viewer));
    if (!form) throw new NotFoundError('Form', id);
    return form;
  }

  /** What a form of this owner may ask for and give. */
  async ground(ownerId: number): Promise<FormGround> {
    const [fields, tags] = await Promise.all([
      offeredFields(this.database, ownerId),
      this.database.rows<FormGround['tags'][number]>(
        'SELECT id, name, public FROM tags WHERE owner_id = $1 ORDER BY lower(name), id',
        [ownerId],
      ),
    ]);
    return { fields, tags };
  }

  /** @throws ValidationError, ConflictError FORMS_FULL */
  async create(viewer: Viewer, input: NewForm): Promise<SignupFormView> {
    const ownerId = viewer.userId;
    const { topicIds, tagIds, ...form } = checked({ ...NEW_FORM, ...given(input) }, await this.ground(ownerId));
    return this.database.transaction(async (tx) => {
      const forms = tx.manager.getRepository(SignupForm);
      const { n = 0 } =
        (await tx.first<{ n: number }>(
          'SELECT count(*) AS n FROM signup_forms WHERE owner_id = $1 AND deleted_at IS NULL',
          [ownerId],
        )) ?? {};
      if (n >= FORMS_MAX)
        throw new ConflictError('FORMS_FULL', `You have ${FORMS_MAX} forms already, which is the most there may be.`);
      const { id } = await forms.save(
        forms.create({ ownerId, token: randomBytes(16).toString('base64url'), ...rowOf(form) }),
      );
      if (input.closed) await forms.update({ id }, { closedAt: () => 'app_now()' });
      await setTags(tx, id, { topicIds, tagIds });
      await audit(tx, viewer, 'form.create', { type: 'form', id }, { name: form.name });
      return found(await readForm(tx, id, ownerId), id);
    });
  }

  /** @throws ValidationError, NotFoundError, ForbiddenError, ConflictError CHANGED_MEANWHILE */
  async update(viewer: Viewer, id: number, change: FormChange): Promise<SignupFormView> {
    return this.database.transaction(async (tx) => {
      const current = await this.lock(tx, viewer, id);
      const ground = await this.ground(current.ownerId);
      const { version, ...content } = change;
      const { topicIds, tagIds, ...form } = checked({ ...inputOf(current, ground), ...given(content) }, ground);
      const otherTags = !sameContent([topicIds, tagIds].map(sorted), [current.topics, current.tags].map(idsOf));
      await requireVersion(
        tx,
        current,
        version,
        () => !otherTags && sameContent(rowOf(form), rowOf(pick(current, Object.keys(form) as (keyof typeof form)[]))),
      );
      await actAs(tx, viewer);
      const forms = tx.manager.getRepository(SignupForm);
      await forms.update(
        { id },
        // Tags stand in another table.
        { ...rowOf(form), ...(otherTags && { version: () => 'version + 1' }), updatedAt: () => 'app_now()' },
      );
      if (typeof change.closed === 'boolean' && change.closed !== (current.closedAt !== null))
        await forms.update({ id }, { closedAt: change.closed ? () => 'app_now()' : null });
      await setTags(tx, id, { topicIds, tagIds });
      await audit(tx, viewer, 'form.change', { type: 'form', id }, { name: form.name });
      return found(await readForm(tx, id, current.ownerId), id);
    });
  }

  /** Its address is not there any more; what people agreed to by it stays. */
  async delete(viewer: Viewer, id: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const { name } = await this.lock(tx, viewer, id);
      await tx.manager.getRepository(SignupForm).update({ id }, { deletedAt: () => 'app_now()' });
      await audit(tx, viewer, 'form.delete', { type: 'form', id }, { name });
    });
  }

  /** @throws NotFoundError, ForbiddenError */
  private async lock(tx: Transaction, viewer: Viewer, id: number): Promise<SignupFormView> {
    const owner = writableOwner(viewer);
    const isThere = await tx.first<{ id: number }>(
      `SELECT id FROM signup_forms WHERE id = $1 AND ($2::bigint IS NULL OR owner_id = $2) AND deleted_at IS NULL
        FOR NO KEY UPDATE`,
      [id, owner],
    );
    const form = isThere ? await readForm(tx, id, owner) : undefined;
    if (!form) throw await notWritable(tx, viewer, 'Form', id);
    return form;
  }
}

/** @throws ValidationError */
function checked(input: SignupFormInput, ground: FormGround): CheckedForm {
  const result = checkForm(input, ground);
  if (!result.ok) throw new ValidationError(result.errors);
  return result.form;
}

function found(form: SignupFormView | undefined, id: number): SignupFormView {
  if (!form) throw new NotFoundError('Form', id);
  return form;
}

const sorted = (ids: readonly number[]): number[] => [...ids].sort((a, b) => a - b);
const idsOf = (tags: SignupFormView['tags']): number[] => sorted(tags.map(({ id }) => id));

const pick = <T, K extends keyof T>(from: T, names: readonly K[]) =>
  Object.fromEntries(names.map((name) => [name, from[name]])) as Pick<T, K>;

const rowOf = ({ fields, requiredFields, allowedOrigins, ...form }: Omit<CheckedForm, 'topicIds' | 'tagIds'>) => ({
  ...form,
  fields: [...fields],
  requiredFields: [...requiredFields],
  allowedOrigins: [...allowedOrigins],
});

/** A form as its owner would write it. Fields that were archived or deleted since are not asked for any more. */
export const inputOf = (form: SignupFormView, { fields }: FormGround): SignupFormInput => ({
  ...form,
  fields: form.fields.filter((key) => fields.some((field) => field.key === key)),
  requiredFields: form.requiredFields.filter((key) => fields.some((field) => field.key === key)),
  redirectUrl: form.redirectUrl ?? '',
  topics: form.topics.map(({ name }) => name),
  tags: form.tags.map(({ name }) => name),
});

/** What the caller gave; null means absent. */
const given = <T extends FormChange>(change: T) =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null && value !== undefined)) as Given<T>;
type Given<T> = { [K in keyof T]: NonNullable<T[K]> };

async function setTags(
  tx: Transaction,
  formId: number,
  { topicIds, tagIds }: Pick<CheckedForm, 'topicIds' | 'tagIds'>,
): Promise<void> {
  await tx.affected('DELETE FROM signup_form_tags WHERE form_id = $1', [formId]);
  await tx.affected(
    `INSERT INTO signup_form_tags (form_id, tag_id, is_topic)
     SELECT $1::bigint, unnest($2::bigint[]), true UNION ALL SELECT $1, unnest($3::bigint[]), false`,
    [formId, topicIds, tagIds],
  );
}
