/** One queue per workload; each has exactly one processor (src/worker). */
export const SCHEDULE_QUEUE = 'schedule';
export const PLAN_QUEUE = 'plan';
export const DELIVERY_QUEUE = 'delivery';
/** Notices (confirm, reset, test), which are sent before letters of mailings, and behind them letters that came back. */
export const SERVICE_QUEUE = 'service';

/** Jobs of SCHEDULE_QUEUE. */
export type ScheduleJob = 'tick' | 'sweep';
/** Jobs of PLAN_QUEUE: planning a run, or (by these names) applying an import, doing something to many clients. */
export type PlanJob = { runId: number } | { importId: number } | { bulkJobId: number };
export const APPLY_IMPORT = 'apply-import';
export const BULK_JOB = 'bulk';
/**
 * A job of SERVICE_QUEUE: one notice, whose token is made when it is composed; one letter that came back, to be judged;
 * or one proof letter, to be sent.
 */
export type ServiceJob = { noticeId: number } | { inboundId: number } | { proofId: number };
/** A job of DELIVERY_QUEUE: one client in one run. The ledger has the rest. */
export interface DeliveryJob {
  deliveryId: number;
}
