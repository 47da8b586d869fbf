/** How long a caller waits for Redis before it goes on without. */
const PATIENCE_MS = 1_000;

/**
 * The result of `work`, unless it takes too long: BullMQ waits for a lost Redis to come back, its callers must not. What
 * was begun may still happen later.
 * @throws Error when the time is over
 */
export async function promptly<T>(work: Promise<T>, timeoutMs = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis did not answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
