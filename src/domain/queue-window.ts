/** How much work the queue holds, in time: short enough that a new small mailing is served soon. */
const WINDOW_SECONDS = 10;
/** The least that it may hold: of a run's start nothing is known of its speed, and a limit of one a second is not starved. */
const LEAST = 1_000;
const LEAST_LIMITED = 5;

export interface QueueLimits {
  /** The most jobs in all states (QUEUE_WINDOW). */
  queueWindow: number;
  /** Letters a second over all workers; 0: no limit. */
  rateLimitPerSecond: number;
  /** Jobs that a worker has at once. */
  workerConcurrency: number;
}

/**
 * How many jobs the delivery queue may hold, a whole number: about ten seconds of work, never more than the window.
 * @param speed deliveries a second lately; it counts only where no limit says how fast sending can be
 */
export function queueSize({ queueWindow, rateLimitPerSecond, workerConcurrency }: QueueLimits, speed: number): number {
  const work =
    rateLimitPerSecond > 0
      ? Math.max(rateLimitPerSecond * WINDOW_SECONDS, LEAST_LIMITED)
      : Math.max(speed * WINDOW_SECONDS, LEAST, 4 * workerConcurrency);
  return Math.floor(Math.min(queueWindow, work));
}
