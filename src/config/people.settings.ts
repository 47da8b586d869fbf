import { issuerProblem } from './service-url';
import { boolean, integer, milliseconds, MINUTE, oneOf, setting, text, url } from './setting';

/** Registration, sign-in, sessions and limits of users. */
export const peopleSettings = {
  registration: setting<'open' | 'approval' | 'closed'>({
    env: 'REGISTRATION',
    about: 'Who may register: open, approval (by a manager) or closed.',
    default: 'open',
    productionDefault: 'approval',
    parse: oneOf('open', 'approval', 'closed'),
  }),
  lettersPerDay: setting<number>({
    env: 'LETTERS_PER_DAY',
    about: 'The most letters one user may start in 24 hours (0: no limit; managers and admins have none).',
    default: 0,
    parse: integer(0, 1_000_000_000),
  }),
  secureCookies: setting<boolean>({
    env: 'SECURE_COOKIES',
    about: 'Cookies only over HTTPS; switch off only to try a production build on plain HTTP.',
    default: false,
    productionDefault: true,
    parse: boolean,
  }),
  authAnswerMs: setting<number>({
    env: 'AUTH_ANSWER_MS',
    about:
      'The shortest time of an answer to a registration or a forgotten password: equal times hide known addresses.',
    default: 400,
    parse: milliseconds,
  }),
  apiCallsPerMinute: setting<number>({
    env: 'API_CALLS_PER_MINUTE',
    about: 'The most API calls and pages of one signed-in user in a minute (0: no limit).',
    default: 3_000,
    parse: integer(0, 1_000_000),
  }),
  oidcIssuer: setting<string>({
    env: 'OIDC_ISSUER',
    about:
      'The OpenID Connect provider that people may sign in with, by its issuer: https://accounts.example.org. Empty: ' +
      'passwords only. Register PUBLIC_URL/sign-in/oidc/callback there as the redirect URI.',
    default: '',
    parse: url(issuerProblem),
  }),
  oidcClientId: setting<string>({
    env: 'OIDC_CLIENT_ID',
    about: 'The client ID that the provider gave this service.',
    default: '',
    parse: text,
  }),
  oidcClientSecret: setting<string>({
    env: 'OIDC_CLIENT_SECRET',
    about: 'The secret that the provider gave for OIDC_CLIENT_ID; empty for a public client.',
    default: '',
    secret: true,
    parse: text,
  }),
  sessionIdleMs: setting<number>({
    env: 'SESSION_IDLE_MS',
    about: 'How long a session lives without being used.',
    default: 24 * 60 * MINUTE,
    parse: milliseconds,
  }),
  sessionMaxMs: setting<number>({
    env: 'SESSION_MAX_MS',
    about: 'How long a session lives, however much it is used.',
    default: 14 * 24 * 60 * MINUTE,
    parse: milliseconds,
  }),
} as const;
