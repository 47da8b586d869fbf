import { all } from './all';
import type { AudienceInput, AudienceKind } from './audience';
import { segment } from './segment';
import { selected } from './selected';

/** The kinds of audiences. A new one gets a file of its own, and is added here and in `mailings_audience_check`. */
const KINDS = { all, selected, segment } satisfies Record<string, AudienceKind>;

export type Audience = keyof typeof KINDS;
export const audiences = Object.keys(KINDS) as Audience[];

export const audienceOf = ({ audience }: { audience: Audience }): AudienceKind => KINDS[audience];

/** Whether this is a kind of audience that takes this field. */
export const takes = (audience: string | undefined, input: AudienceInput): boolean =>
  audiences.some((kind) => kind === audience && KINDS[kind].input === input);

/** SQL: the kinds to which new clients belong automatically. */
export const GROWING = audiences
  .filter((kind) => KINDS[kind].grows)
  .map((kind) => `'${kind}'`)
  .join(', ');

const countsOf = (kinds: readonly Audience[]) =>
  `CASE m.audience ${kinds.map((kind) => `WHEN '${kind}' THEN ${KINDS[kind].count}`).join(' ')} END`;

/** SQL: how many recipients a run of the mailing `m` would have; null if only counting them tells (`members.ts`). */
export const RECIPIENTS = `CASE WHEN m.exclude_segment_id IS NULL
    THEN ${countsOf(audiences.filter((kind) => KINDS[kind].counted))} END`;
/** SQL: how many it would have at most. */
export const RECIPIENTS_AT_MOST = countsOf(audiences);

/** Whether a counter tells how many recipients a mailing has. */
export const isCounted = (mailing: { audience: Audience; excludeSegmentId: number | null }): boolean =>
  audienceOf(mailing).counted && mailing.excludeSegmentId === null;
