import type { Sql, Transaction } from '../../database/database';
import { searched } from '../../database/search';
import { ConflictError } from '../../domain/errors';
import { OWNED_TAGS_MAX } from '../../domain/tag-names';

/** SQL: a tag's name as names are compared; the expression of the unique index. */
export const FOLDED = searched('name');

/**
 * The ids of an owner's tags with these names; those that do not exist are made. The tags stay locked until the
 * transaction ends: in the order of names while they are made, then in the order of ids, so that two transactions that
 * tag the same can't wait for each other. `also` are tags that the transaction will change as well.
 * @throws ConflictError TAGS_FULL
 */
export async function tagsNamed(
  tx: Transaction,
  ownerId: number,
  names: readonly string[],
  also: readonly number[] = [],
): Promise<number[]> {
  // A tag that was found may be deleted before it is locked; then it is made anew, out of that order: should two
  // transactions wait for each other then, one is repeated.
  for (let tries = 0; tries < 5; tries++) {
    const made = await tx.affected(
      `INSERT INTO tags (owner_id, name)
       SELECT $1, n.name FROM (SELECT DISTINCT ON (${FOLDED}) name FROM unnest($2::text[]) AS given(name)) n
        WHERE NOT EXISTS (SELECT FROM tags t WHERE t.owner_id = $1 AND ${searched('t.name')} = ${searched('n.name')})
        ORDER BY ${searched('n.name')}
       ON CONFLICT DO NOTHING`,
      [ownerId, names],
    );
    if (made > 0) await refuseTooMany(tx, ownerId);
    const rows = await tx.rows<{ id: number; isWanted: boolean }>(
      `SELECT t.id, w.folded IS NOT NULL AS is_wanted FROM tags t
         LEFT JOIN (SELECT DISTINCT ${FOLDED} AS folded FROM unnest($2::text[]) AS given(name)) w
           ON w.folded = ${searched('t.name')}
        WHERE t.owner_id = $1 AND (w.folded IS NOT NULL OR t.id = ANY($3::bigint[]))
        ORDER BY t.id FOR NO KEY UPDATE OF t`,
      [ownerId, names, also],
    );
    const wanted = rows.filter(({ isWanted }) => isWanted).map(({ id }) => id);
    const folded = await tx.first<{ n: number }>(
      `SELECT count(DISTINCT ${FOLDED}) AS n FROM unnest($1::text[]) AS given(name)`,
      [names],
    );
    if (wanted.length === (folded?.n ?? 0)) return wanted;
  }
  throw new Error('tags are deleted as fast as they are made');
}

async function refuseTooMany(tx: Sql, ownerId: number): Promise<void> {
  const row = await tx.first<{ n: number }>('SELECT count(*) AS n FROM tags WHERE owner_id = $1', [ownerId]);
  if ((row?.n ?? 0) > OWNED_TAGS_MAX)
    throw new ConflictError(
      'TAGS_FULL',
      `You would have more than ${OWNED_TAGS_MAX} tags, which is the most there may be.`,
    );
}

/** Gives a client exactly the tags with these names. */
export async function setTags(
  tx: Transaction,
  ownerId: number,
  clientId: number,
  names: readonly string[],
): Promise<void> {
  const had = await tx.rows<{ tagId: number }>('SELECT tag_id FROM client_tags WHERE client_id = $1', [clientId]);
  const before = had.map(({ tagId }) => tagId);
  if (names.length === 0 && before.length === 0) return;
  const after = await tagsNamed(tx, ownerId, names, before);
  await tx.affected('DELETE FROM client_tags WHERE client_id = $1 AND tag_id <> ALL($2::bigint[])', [clientId, after]);
  await tx.affected(
    'INSERT INTO client_tags (tag_id, client_id) SELECT unnest($2::bigint[]), $1 ON CONFLICT DO NOTHING',
    [clientId, after],
  );
}
