import type { View } from '../../database/list';
import type { FieldProblem } from '../../domain/problems';
import type { RunStatus } from '../../domain/states';
import { RECIPIENTS } from '../audiences/audiences';
import type { Mailing } from './mailing.entity';

export interface LastRun {
  id: number;
  status: RunStatus;
  total: number;
  sent: number;
  failed: number;
  open: number;
  createdAt: string;
}

/** A mailing with the further facts that its page shows. */
export type MailingView = Mailing & {
  /**
   * How many it goes to. If no counter tells, or if it is done: how many the last run had, or null;
   * `MailingsService.counted` counts them, unless it is done.
   */
  recipientCount: number | null;
  /** Of a mailing that is done, this and the next two as they were when it was last sent. */
  segmentName: string | null;
  excludeSegmentName: string | null;
  messageSubject: string | null;
  lastRun: LastRun | null;
  warnings?: readonly FieldProblem[];
};

export const MAILING_VIEW: View = {
  select: `m.*, coalesce(past.subject, s.subject) AS message_subject,
    coalesce(CASE WHEN m.status <> 'done' THEN ${RECIPIENTS} END,
      (SELECT sum(pending + sending + deferred + sent + failed + unknown + skipped + cancelled)
      FROM run_counts WHERE run_id = (SELECT max(r.id) FROM runs r
        WHERE r.mailing_id = m.id AND r.status <> 'missed' AND r.trigger <> 'resend')))::bigint AS recipient_count,
    coalesce(past.segment_name, (SELECT g.name FROM segments g WHERE g.id = m.segment_id)) AS segment_name,
    coalesce(past.exclude_name, (SELECT g.name FROM segments g WHERE g.id = m.exclude_segment_id))
      AS exclude_segment_name,
    (SELECT jsonb_build_object('id', r.id, 'status', r.status, 'createdAt', r.created_at, 'total', c.total,
      'sent', c.sent,
                               'failed', c.failed, 'open', c.open)
       FROM (SELECT * FROM runs WHERE mailing_id = m.id AND status <> 'missed' ORDER BY id DESC LIMIT 1) r,
       LATERAL (SELECT coalesce(sum(sent), 0) AS sent, coalesce(sum(failed), 0) AS failed,
                       coalesce(sum(pending + sending + deferred), 0) AS open,
                       coalesce(sum(pending + sending + deferred + sent + failed + unknown + skipped + cancelled), 0)
                         AS total
                  FROM run_counts WHERE run_id = r.id) c) AS last_run`,
  // What is over does not change by later edits, nor by clients who are added.
  from: `mailings m LEFT JOIN messages s ON s.id = m.message_id
    LEFT JOIN LATERAL (SELECT r.subject, r.segment_name, r.exclude_name FROM runs r
      WHERE m.status = 'done' AND r.mailing_id = m.id AND r.status <> 'missed' AND r.trigger <> 'resend'
      ORDER BY r.id DESC LIMIT 1) past ON true`,
};
