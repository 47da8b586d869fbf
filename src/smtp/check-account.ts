import type { SmtpFailure } from './smtp-failure';
import type { SmtpCapabilities } from './smtp-handshake';
import { SmtpSession } from './smtp-session';
import { portHint, type SmtpSettings } from './smtp-url';

export type SmtpCheck =
  { ok: true; capabilities: SmtpCapabilities; durationMs: number } | { ok: false; result: SmtpFailure };

/** Connects, logs in and asks whether the server still answers, on a connection of its own. */
export async function checkAccount(settings: SmtpSettings): Promise<SmtpCheck> {
  const startedAt = performance.now();
  const session = new SmtpSession(
    settings,
    () => false,
    () => undefined,
  );
  const failure = hinted(await session.open(), settings);
  if (failure) return { ok: false, result: failure };
  const answers = await session.reset();
  await session.quit();
  if (!answers) {
    return {
      ok: false,
      result: { kind: 'broken', phase: 'mail', dotSent: false, error: 'The server did not answer RSET' },
    };
  }
  return { ok: true, capabilities: session.capabilities, durationMs: Math.round(performance.now() - startedAt) };
}

/** The failure, with a hint if the connection failed on a port that usually has the other kind of TLS. */
export function hinted(failure: SmtpFailure | null, settings: SmtpSettings): SmtpFailure | null {
  const hint = portHint(settings);
  const early = failure?.kind === 'broken' && ['greeting', 'tls'].includes(failure.phase);
  return early && hint ? { ...failure, error: `${failure.error}. ${hint}` } : failure;
}
