import { all } from './all';
import type { AudienceInput, AudienceKind } from './audience';
import { selected } from './selected';

/** The kinds of audiences. A new one gets a file of its own, and is added here and in `mailings_audience_check`. */
const KINDS = { all, selected } satisfies Record<string, AudienceKind>;

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

/** SQL: how many recipients a run of the mailing `m` would have. */
const counts = audiences.map((kind) => `WHEN '${kind}' THEN ${KINDS[kind].count}`);
export const RECIPIENTS = `CASE m.audience ${counts.join(' ')} END`;
