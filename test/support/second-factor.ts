import { generateSync } from 'otplib';
import { PASSWORD, type TestApi } from './api';

/** An authenticator app: the code of the present time step by the database's clock, or of one beside it. */
export async function codeOf(api: TestApi, secret: string, steps = 0): Promise<string> {
  const row = await api.database.first<{ now: number }>(
    'SELECT floor(extract(epoch FROM clock_timestamp()))::int AS now',
  );
  return generateSync({ secret, epoch: (row?.now ?? 0) + 30 * steps });
}

/** Codes of steps that are gone are good again: so that a test need not wait half a minute. */
export const forgetSteps = (api: TestApi, userId: number) =>
  api.database.affected('UPDATE second_factors SET last_step = 0 WHERE user_id = $1', [userId]);

/** Switches somebody's second factor on by REST. */
export async function enableSecondFactor(
  api: TestApi,
  who: { id: number; token?: string; cookie?: string; csrf?: string },
): Promise<{ secret: string; recoveryCodes: string[] }> {
  const call = (path: string, body?: unknown) =>
    api.call('POST', `/api/v1/me/second-factor${path}`, {
      ...(who.token !== undefined && { token: who.token }),
      ...(who.cookie !== undefined && { cookie: who.cookie }),
      ...(who.csrf !== undefined && { csrf: who.csrf }),
      ...(body !== undefined && { body }),
    });
  const secret = String((await call('')).body.secret);
  const answer = await call('/confirm', { password: PASSWORD, code: await codeOf(api, secret) });
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  await forgetSteps(api, who.id);
  return { secret, recoveryCodes: answer.body.recoveryCodes as string[] };
}
