/**
 * The first SIGTERM or SIGINT aborts this; more of them do nothing. Long-running processes import it before all else, so that
 * a signal that comes while their modules are still being loaded is not lost, nor their end an abrupt one.
 */
const asked = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => asked.abort());

export const stopAsked = asked.signal;
