import { MailboxFailure } from './mailbox-failure';

/** How access tokens are got (RFC 6749). */
export interface OauthSettings {
  tokenUrl: string;
  clientId: string;
  secret: string;
  /** '' if the application itself is allowed to read the mailbox. */
  refresh: string;
}

const TIMEOUT_MS = 30_000;
const ANSWER_BYTES = 64 * 1024;
/** A token is renewed so long before it expires. */
const EARLY_MS = 5 * 60_000;

/** `tokenUrl,clientId,secret,refresh`; null for anything else. */
export function parseOauth(text: string): OauthSettings | null {
  const [, tokenUrl = '', clientId = '', secret = '', refresh = ''] =
    /^([^,]+),([^,]+),([^,]*),(.*)$/s.exec(text.trim()) ?? [];
  const url = URL.parse(tokenUrl);
  const isLocal = url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  if (!url || (url.protocol !== 'https:' && !isLocal) || url.username || url.password) return null;
  return secret === '' && refresh === '' ? null : { tokenUrl, clientId, secret, refresh };
}

/**
 * Access tokens of one mailbox: got when needed, kept until shortly before they expire. With a refresh token they are
 * exchanged for it (RFC 6749 section 6), which may bring another one (`onRefresh`); without one the application gets
 * them for itself (section 4.4).
 */
export class AccessTokens {
  private token = '';
  /** By `performance.now()`. */
  private until = -Infinity;

  constructor(
    private readonly settings: OauthSettings,
    /** What an application asks for if it reads the mailbox by itself. */
    private readonly scope: string,
    private refresh: string,
    private readonly onRefresh: (token: string) => Promise<unknown>,
  ) {}

  /** @throws MailboxFailure */
  async get(): Promise<string> {
    if (performance.now() < this.until) return this.token;
    const askedAt = performance.now();
    const { access_token: token, expires_in: seconds, refresh_token: refresh } = await this.ask();
    this.token = token;
    const lifeMs = (Number(seconds) || 3600) * 1000;
    this.until = askedAt + lifeMs - Math.min(EARLY_MS, lifeMs / 2);
    if (typeof refresh === 'string' && refresh !== '' && refresh !== this.refresh) {
      this.refresh = refresh;
      await this.onRefresh(refresh);
    }
    return token;
  }

  /** The mailbox refused it. */
  drop(): void {
    this.until = -Infinity;
  }

  private async ask(): Promise<{ access_token: string; expires_in?: unknown; refresh_token?: unknown }> {
    const { tokenUrl, clientId, secret } = this.settings;
    const body = new URLSearchParams({
      client_id: clientId,
      ...(secret !== '' && { client_secret: secret }),
      ...(this.refresh === ''
        ? { grant_type: 'client_credentials', scope: this.scope }
        : { grant_type: 'refresh_token', refresh_token: this.refresh }),
    });
    let response: Response;
    let text: string;
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      // A redirect would carry the secret somewhere else.
      response = await fetch(tokenUrl, { method: 'POST', body, redirect: 'error', signal });
      text = await beginning(response);
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      throw new MailboxFailure('token_unreachable', code ?? (error as Error).name);
    }
    if (response.status >= 500 || response.status === 429)
      throw new MailboxFailure('token_unreachable', `HTTP-${response.status}`);
    const answer = parsed(text);
    if (!response.ok || typeof answer.access_token !== 'string' || !/^[!-~]{1,16000}$/.test(answer.access_token)) {
      const said = typeof answer.error === 'string' && /^[a-z_]{1,60}$/.test(answer.error) ? answer.error : '';
      throw new MailboxFailure('token_refused', said || `HTTP-${response.status}`);
    }
    return { ...answer, access_token: answer.access_token };
  }
}

async function beginning(response: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    pieces.push(piece);
    size += piece.length;
    if (size > ANSWER_BYTES) break;
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parsed(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
