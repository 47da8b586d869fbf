import { Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import type * as Openid from 'openid-client';
import { CONFIG, type Config } from '../config/config.module';
import { DomainError } from '../domain/errors';

/** The library, loaded with the first sign-in: it takes 7 MB, and most installations have no provider. */
const load = () => import('openid-client');

/** How long the provider may take to answer one request of ours. */
const TIMEOUT_S = 5;
/** How far its clock and ours may be apart. */
const CLOCK_TOLERANCE_S = 60;

export const OIDC_CALLBACK = '/sign-in/oidc/callback';

/** What the provider's answer is compared with; kept in a sealed cookie of the browser that is sent there. */
export interface PendingAuthorization {
  state: string;
  nonce: string;
  codeVerifier: string;
}

/**
 * Who signed in, as the provider says. `issuer` and `subject` identify the person for ever; the address may later
 * belong to somebody else.
 */
export interface ProvedIdentity {
  issuer: string;
  subject: string;
  /** Only an address that the provider says is verified. */
  email: string | null;
  fullName: string;
}

/**
 * The one OpenID Connect provider of the settings: authorization code flow with PKCE, state and nonce; the ID token's
 * signature is checked. Its configuration is fetched when somebody first signs in with it, so that processes start
 * without it.
 */
@Injectable()
export class OidcProvider {
  private known: Promise<Openid.Configuration> | undefined;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly logger: PinoLogger,
  ) {}

  /** The provider as people know it; null if there is none. */
  get host(): string | null {
    return this.config.oidcIssuer === '' ? null : new URL(this.config.oidcIssuer).host;
  }

  /** Where to send somebody's browser. @throws DomainError OIDC_UNAVAILABLE */
  async begin(): Promise<{ url: string; pending: PendingAuthorization }> {
    const client = await load();
    const pending = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      codeVerifier: client.randomPKCECodeVerifier(),
    };
    return this.asking(async (provider) => ({
      pending,
      url: client.buildAuthorizationUrl(provider, {
        redirect_uri: this.callback('').href,
        scope: 'openid email profile',
        state: pending.state,
        nonce: pending.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(pending.codeVerifier),
        code_challenge_method: 'S256',
      }).href,
    }));
  }

  /**
   * Exchanges what the browser came back with.
   * @param search the query of the request, as it came
   * @throws DomainError OIDC_FAILED for an answer that is a refusal, or not to `pending`; OIDC_UNAVAILABLE
   */
  async finish(search: string, { state, nonce, codeVerifier }: PendingAuthorization): Promise<ProvedIdentity> {
    const client = await load();
    return this.asking(async (provider) => {
      const tokens = await client.authorizationCodeGrant(provider, this.callback(search), {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: codeVerifier,
      });
      const idToken = tokens.claims();
      if (!idToken) throw new Error('a nonce was expected, and so an ID token');
      const { iss: issuer, sub: subject } = idToken;
      const asksMore = idToken.email === undefined && provider.serverMetadata().userinfo_endpoint;
      const claims = asksMore
        ? { ...(await client.fetchUserInfo(provider, tokens.access_token, subject)), ...idToken }
        : idToken;
      const { email, email_verified: isVerified } = claims;
      return {
        issuer,
        subject,
        email: isVerified === true && typeof email === 'string' ? email : null,
        fullName: typeof claims.name === 'string' ? claims.name : '',
      };
    });
  }

  private callback(search: string): URL {
    return new URL(`${this.config.publicUrl.replace(/\/+$/, '')}${OIDC_CALLBACK}${search}`);
  }

  private async asking<T>(work: (provider: Openid.Configuration) => Promise<T>): Promise<T> {
    let known = false;
    try {
      const provider = await (this.known ??= this.discover());
      known = true;
      return await work(provider);
    } catch (error) {
      const told = known && isRefusal(error, await load()) ? failed() : unavailable();
      // Its configuration may have changed.
      if (told.code === 'OIDC_UNAVAILABLE') this.known = undefined;
      this.logger.warn(
        { event: 'oidc.failed', code: told.code, reason: reasonOf(error) },
        'Sign-in by the provider failed',
      );
      throw told;
    }
  }

  private async discover(): Promise<Openid.Configuration> {
    const client = await load();
    const { oidcIssuer, oidcClientId, oidcClientSecret: secret } = this.config;
    const server = new URL(oidcIssuer);
    const execute = [client.enableNonRepudiationChecks];
    // The settings accept http:// only in a private network.
    if (server.protocol === 'http:') execute.push(client.allowInsecureRequests);
    const auth = secret === '' ? client.None() : secretAuth(secret, client);
    const metadata = { [client.clockTolerance]: CLOCK_TOLERANCE_S };
    return client.discovery(server, oidcClientId, metadata, auth, { execute, timeout: TIMEOUT_S });
  }
}

/** How the secret is sent: as the provider prefers; in the header if it does not say, because all must accept that. */
const secretAuth =
  (secret: string, client: typeof Openid): Openid.ClientAuth =>
  (server, ...rest) => {
    const known = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const make = known.includes('client_secret_basic') ? client.ClientSecretBasic : client.ClientSecretPost;
    make(secret)(server, ...rest);
  };

const REFUSALS = new Set([
  // Among others another `state` or `iss` than ours.
  'OAUTH_INVALID_RESPONSE',
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
]);

/**
 * Whether the provider refused the sign-in, or its answer belongs to no sign-in of ours; not that it did not answer or
 * answered nonsense.
 */
function isRefusal(error: unknown, client: typeof Openid): boolean {
  if (error instanceof client.AuthorizationResponseError) return true;
  // The code was used, has expired, or is not this client's. Anything else is a wrong setting, here or at the provider.
  if (error instanceof client.ResponseBodyError) return error.error === 'invalid_grant';
  return error instanceof client.ClientError && REFUSALS.has(error.code ?? '');
}

/** For the log: what kind of error, and nothing of what was sent or received. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code, error: name } = error as { code?: unknown; error?: unknown };
  const cause = (error.cause as { code?: unknown } | undefined)?.code;
  return [error.name, code, name, cause].filter((part) => typeof part === 'string').join(' ');
}

const failed = () =>
  new DomainError(
    'invalid',
    'OIDC_FAILED',
    'The sign-in provider said no, or its answer does not belong to this sign-in.',
  );

const unavailable = () =>
  new DomainError(
    'unavailable',
    'OIDC_UNAVAILABLE',
    'The sign-in provider cannot be reached right now, or gives a wrong answer.',
    {
      retryAfterS: 5,
    },
  );
