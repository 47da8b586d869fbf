import { generateKeyPairSync } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Provider } from 'oidc-provider';

/** Somebody who has an account of the provider. */
export interface OidcAccount {
  sub: string;
  email?: string;
  email_verified?: boolean | string;
  name?: string;
}

export const OIDC_CLIENT = { id: 'gonets', secret: 'a secret between the two of them' };

const KEY = { alg: 'RS256', use: 'sig', kid: 'the key of a test' };

function newKey() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { privateKey: privateKey.export({ format: 'jwk' }), publicKey: publicKey.export({ format: 'jwk' }) };
}

/**
 * A real OpenID Connect provider. Whoever comes is signed in there as `account` at once; `refuses` has it say no instead,
 * and `foreignKeys` publish other keys than those that it signs with, under the same names.
 * `down` closes its port, so that it can come back on the same one.
 */
export class OidcServer {
  account: OidcAccount = { sub: 'nobody' };
  refuses = false;
  foreignKeys = false;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private server: Server,
    readonly port: number,
  ) {}

  static async start(): Promise<OidcServer> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return new OidcServer(server, (server.address() as AddressInfo).port);
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Knows the client from now on: its address is known only when it listens. */
  serve(redirectUri: string): void {
    const keys = [newKey(), newKey()];
    const provider = new Provider(this.issuer, {
      clients: [
        {
          client_id: OIDC_CLIENT.id,
          client_secret: OIDC_CLIENT.secret,
          redirect_uris: [redirectUri],
        },
      ],
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, { uid }) => `/interaction/${uid}` },
      jwks: { keys: keys.slice(0, 1).map(({ privateKey }) => ({ ...privateKey, ...KEY })) },
      cookies: { keys: ['a key of a test'] },
      ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      pkce: { required: () => true },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ ...this.account, sub }) }),
      loadExistingGrant: async (context) => {
        const grant = new context.oidc.provider.Grant({
          accountId: context.oidc.session?.accountId ?? '',
          clientId: OIDC_CLIENT.id,
        });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    });
    const answer = provider.callback();
    this.server.on('request', (request, response) => {
      if (this.foreignKeys && request.url?.startsWith('/jwks')) {
        response.setHeader('Content-Type', 'application/jwk-set+json');
        return void response.end(JSON.stringify({ keys: [{ ...keys[1]?.publicKey, ...KEY }] }));
      }
      if (!request.url?.startsWith('/interaction/')) return void answer(request, response);
      const result = this.refuses
        ? { error: 'access_denied', error_description: 'said no' }
        : { login: { accountId: this.account.sub, remember: false } };
      void provider.interactionFinished(request, response, result);
    });
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  async down(): Promise<void> {
    const closed = new Promise((done) => this.server.close(done));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  async up(): Promise<void> {
    await new Promise<void>((done) => this.server.listen(this.port, '127.0.0.1', done));
  }
}

/** A browser's way through the provider: follows it, with its cookies, until it leads to `callback`, and gives that address. */
export async function throughProvider(start: string, callback: string): Promise<string> {
  const cookies = new Map<string, string>();
  let url = start;
  for (let steps = 0; steps < 10; steps++) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null) throw new Error(`${response.status} at ${url}: ${(await response.text()).slice(0, 500)}`);
    url = new URL(location, url).href;
    if (url.startsWith(callback)) return url;
  }
  throw new Error('the provider leads nowhere');
}
