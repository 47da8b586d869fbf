/**
 * The first SIGTERM or SIGINT aborts this; later ones do nothing. Long-running processes import it before everything
 * else, so that a signal that comes while their modules are being loaded is not lost, and the process still ends in an
 * orderly way.
 */
const asked = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => asked.abort());

export const stopAsked = asked.signal;
