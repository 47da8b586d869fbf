/** One queue per workload; each has exactly one processor (src/worker). */
export const SCHEDULE_QUEUE = 'schedule';
export const PLAN_QUEUE = 'plan';
export const DELIVERY_QUEUE = 'delivery';
/** Notices (confirm, reset, test); they are sent before letters of mailings. */
export const SERVICE_QUEUE = 'service';

/** Jobs of SCHEDULE_QUEUE. */
export type ScheduleJob = 'tick' | 'sweep';
/** Jobs of PLAN_QUEUE: planning a run, or (by these names) applying an import, doing something to many clients. */
export type PlanJob = { runId: number } | { importId: number } | { bulkJobId: number };
export const APPLY_IMPORT = 'apply-import';
export const BULK_JOB = 'bulk';
/** A job of SERVICE_QUEUE: one notice. Its token is made when it is composed. */
export interface ServiceJob {
  noticeId: number;
}
/** A job of DELIVERY_QUEUE: one client in one run. The ledger has the rest. */
export interface DeliveryJob {
  deliveryId: number;
}
