/** How much work the queue holds, in time: short enough that a new small mailing is served soon. */
const WINDOW_SECONDS = 10;
/**
 * The smallest window: when a run starts, its speed is not known yet; and with a limit of one letter a second the queue
 * must not run empty.
 */
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
 * @param speed recent deliveries a second; used only if no rate limit is set
 */
export function queueSize({ queueWindow, rateLimitPerSecond, workerConcurrency }: QueueLimits, speed: number): number {
  const work =
    rateLimitPerSecond > 0
      ? Math.max(rateLimitPerSecond * WINDOW_SECONDS, LEAST_LIMITED)
      : Math.max(speed * WINDOW_SECONDS, LEAST, 4 * workerConcurrency);
  return Math.floor(Math.min(queueWindow, work));
}
