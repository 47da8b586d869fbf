import type { Sql } from '../../database/database';
import { type View, viewWhere } from '../../database/list';
import type { SignupForm } from './signup-form.entity';

export interface FormTag {
  id: number;
  name: string;
}

/** A form with its tags and numbers. */
export type SignupFormView = SignupForm & {
  /** Public tags that people choose from, and tags that everybody gets. */
  topics: FormTag[];
  tags: FormTag[];
  confirmed: number;
  /** Sent, not confirmed, and not expired. */
  waiting: number;
};

const tags = (isTopic: boolean) => `(SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name)
    ORDER BY lower(t.name)), '[]') FROM signup_form_tags ft JOIN tags t ON t.id = ft.tag_id
   WHERE ft.form_id = f.id AND ft.is_topic = ${isTopic} ${isTopic ? 'AND t.public' : ''})`;

/** A form as strangers need it. A tag that is not public any more is not offered. */
export const OPEN_FORM_VIEW = {
  select: `f.*, ${tags(true)} AS topics, ${tags(false)} AS tags`,
  from: 'signup_forms f',
} satisfies View;

/** The same with its numbers, for which all its sign-ups are counted: for its owner only. */
export const FORM_VIEW: View = {
  select: `${OPEN_FORM_VIEW.select}, n.confirmed, n.waiting`,
  from: `signup_forms f, LATERAL (
    SELECT count(*) FILTER (WHERE s.confirmed_at IS NOT NULL) AS confirmed,
           count(*) FILTER (WHERE s.confirmed_at IS NULL AND s.expires_at > app_now()) AS waiting
      FROM signups s WHERE s.form_id = f.id) n`,
};

/** A form that is not deleted, of this owner or (null) of anybody. */
export const readForm = (sql: Sql, id: number, owner: number | null): Promise<SignupFormView | undefined> =>
  sql.first<SignupFormView>(
    viewWhere(FORM_VIEW, 'f.id = $1 AND ($2::bigint IS NULL OR f.owner_id = $2) AND f.deleted_at IS NULL'),
    [id, owner],
  );
