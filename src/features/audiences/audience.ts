/** A field of a mailing's input that says who is in its audience. */
export type AudienceInput = 'clientIds';

/**
 * All that depends on the kind of a mailing's audience: nothing else asks which it is. SQL is of the mailing `m`, and of
 * the client `c`, who is its owner's.
 */
export interface AudienceKind {
  /** The field that it takes; it refuses those of other kinds. */
  input: AudienceInput | null;
  /** The owner's new clients come into it by themselves, and so get the current occurrence within its grace only. */
  grows: boolean;
  /**
   * One page of its clients, for planning: `key`, by which they are ordered, `client_id`, `email`, `status` and `reason` (of
   * those who can't get it). $2 is the key after which it begins, $3 what `source` says. It must walk an index.
   */
  page(limit: number): string;
  source(mailing: { mailingId: number; ownerId: number }): number;
  /** SQL: how many are in it. Pages ask all the time: from a counter. */
  count: string;
  /** SQL: whether `c` is in the audience of the mailing $1. */
  contains: string;
}
