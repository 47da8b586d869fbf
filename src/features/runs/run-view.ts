import type { View } from '../../database/list';
import type { DeliveryCounts } from '../../domain/states';
import type { EventCounts } from '../../domain/suppression';
import type { Run } from './run.entity';

/** Columns that no answer contains. */
type Inner =
  | 'body'
  | 'bodyText'
  | 'idempotencyKey'
  | 'floorId'
  | 'mailingName'
  | 'timeZone'
  | 'sender'
  | 'letterKey'
  | 'transactional'
  | 'language'
  | 'replyTo'
  | 'postalAddress'
  | 'unsubscribeText';
export type RunView = Omit<Run, Inner> & {
  counts: DeliveryCounts;
  /** What became known after letters were sent; beside the counts, which it does not change. */
  after: EventCounts;
  /** Why how many were skipped; of a single run only. */
  skippedBy?: Record<string, number>;
};

/** SQL: how many of the deliveries of the run `r` are in each state (`DeliveryCounts`). */
export const RUN_COUNTS = `(SELECT jsonb_build_object(
    'total', coalesce(sum(pending + sending + deferred + sent + failed + unknown + skipped + cancelled), 0),
    'pending', coalesce(sum(pending), 0), 'sending', coalesce(sum(sending), 0), 'deferred', coalesce(sum(deferred), 0),
    'sent', coalesce(sum(sent), 0), 'failed', coalesce(sum(failed), 0), 'unknown', coalesce(sum(unknown), 0),
    'skipped', coalesce(sum(skipped), 0), 'cancelled', coalesce(sum(cancelled), 0)) FROM run_counts
      WHERE run_id = r.id)`;

const COUNTS = `${RUN_COUNTS} AS counts,
  (SELECT jsonb_build_object('bounced', coalesce(sum(bounced), 0), 'softBounced', coalesce(sum(soft_bounced), 0),
    'complained', coalesce(sum(complained), 0), 'unsubscribed', coalesce(sum(unsubscribed), 0))
     FROM run_counts WHERE run_id = r.id) AS after`;

/** From a partial index: a run whose recipients are mostly suppressed has very many. */
export const SKIPPED_BY = `(SELECT coalesce(jsonb_object_agg(reason, n), '{}') FROM (
    SELECT coalesce(d.reason, 'unknown') AS reason, count(*) AS n FROM deliveries d
     WHERE d.run_id = r.id AND d.off_path = 'skipped' GROUP BY 1) skipped) AS skipped_by`;

export const RUN_VIEW: View = {
  select: `r.id, r.mailing_id, r.owner_id, r.occurrence_at, r.trigger, r.source_run_id, r.status, r.reason, r.paused_at,
    r.on_unknown, r.subject, r.plan_cursor, r.planned_at, r.end_at, r.created_at, r.started_at,
    r.finished_at, r.closing, r.segment_name, r.segment_filter, r.exclude_name, r.exclude_filter, ${COUNTS}`,
  from: 'runs r',
};
