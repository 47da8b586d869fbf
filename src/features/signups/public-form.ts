import type { Sql } from '../../database/database';
import { viewWhere } from '../../database/list';
import type { AskedOf } from '../../domain/signup-form';
import { offeredFields } from '../clients/field-definitions';
import { OPEN_FORM_VIEW, type SignupFormView } from './form-view';

/** A form as strangers see it. */
export type PublicForm = Pick<
  SignupFormView,
  | 'id'
  | 'ownerId'
  | 'token'
  | 'language'
  | 'title'
  | 'intro'
  | 'thanks'
  | 'consentText'
  | 'redirectUrl'
  | 'doubleOptIn'
  | 'allowedOrigins'
> & { asked: AskedOf; tagIds: number[] };

type OpenForm = Omit<SignupFormView, 'confirmed' | 'waiting'>;

const TOKEN = /^[\w-]{22}$/;

/** The form with this token; null if there is none, it is closed, or its owner may not send anything. */
export async function openForm(sql: Sql, token: string): Promise<PublicForm | null> {
  if (!TOKEN.test(token)) return null;
  const form = await sql.first<OpenForm>(
    viewWhere(
      OPEN_FORM_VIEW,
      `f.token = $1 AND f.closed_at IS NULL AND f.deleted_at IS NULL
        AND EXISTS (SELECT FROM users u WHERE u.id = f.owner_id AND u.status = 'active')`,
    ),
    [token],
  );
  return form ? publicForm(sql, form) : null;
}

async function publicForm(sql: Sql, form: OpenForm): Promise<PublicForm> {
  const { fullName, topics, tags, ...rest } = form;
  const known = form.fields.length > 0 ? await offeredFields(sql, form.ownerId) : [];
  const fields = form.fields.flatMap((key) => {
    const field = known.find((each) => each.key === key);
    return field ? [{ ...field, required: form.requiredFields.includes(key) }] : [];
  });
  return { ...rest, asked: { fullName, fields, topics }, tagIds: tags.map(({ id }) => id) };
}

/** The address of a form's public page. */
export const formUrl = (publicUrl: string, token: string): string => `${publicUrl.replace(/\/+$/, '')}/f/${token}`;
