/** How long a caller waits for Redis before it goes on without. */
const PATIENCE_MS = 1_000;

/**
 * The result of `work`, unless it takes too long: BullMQ waits until a lost Redis comes back, but its callers must not.
 * `work` may still happen later.
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
