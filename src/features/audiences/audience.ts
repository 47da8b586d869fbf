/** A field of a mailing's input that says who is in its audience. */
export type AudienceInput = 'clientIds' | 'segmentId';

/**
 * SQL: why the client `c` is skipped by a run (a `DeliveryReason`), null if they get its letter. The same for every
 * kind of audience and for runs to those who failed.
 */
export const SKIP_REASON = `CASE WHEN c.unconfirmed_since IS NOT NULL THEN 'unconfirmed' END`;

/**
 * Everything that depends on the kind of a mailing's audience; nothing else branches on the kind. SQL refers to the
 * mailing as `m` and to a client of its owner as `c`. Whom a segment chooses or leaves out among them is the same for
 * every kind (`members.ts`).
 */
export interface AudienceKind {
  /** The input field that this kind needs; those of other kinds are refused. */
  input: AudienceInput | null;
  /**
   * Whether the owner's new clients belong to it automatically; such clients get the current occurrence only within its
   * grace time.
   */
  grows: boolean;
  /**
   * SQL: one page of its clients, for planning: `key`, by which they are ordered, `client_id`, `email`, `reason`
   * ({@link SKIP_REASON}) and `chosen`, whether a segment lets them in (the SQL that is given). $2 is the key after
   * which the page begins, $3 the value of `source`. It must use an index in key order.
   */
  page(limit: number, chosen: string): string;
  source(mailing: { mailingId: number; ownerId: number }): number;
  /** SQL: how many clients are in it at most, from a counter, because pages ask often. */
  count: string;
  /** Whether that is how many there are. Else they have to be found to be counted. */
  counted: boolean;
  /** SQL: whether `c` is in the audience of the mailing $1. */
  contains: string;
}
