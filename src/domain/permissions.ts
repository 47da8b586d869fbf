import { ForbiddenError } from './errors';
import { type SuppressionReason, suppressionReasons } from './suppression';

export const roles = ['user', 'manager', 'admin'] as const;
export type Role = (typeof roles)[number];

/** What a token may do: `inbound` is to hand in letters that came back, and nothing else. */
export const tokenScopes = ['read', 'write', 'inbound'] as const;
export type TokenScope = (typeof tokenScopes)[number];

/** Who asks, and from where. Every service takes one, and every query asks for what this viewer may see. */
export interface Viewer {
  userId: number;
  role: Role;
  /** For the audit log. */
  via?: 'session' | 'token' | 'cli';
  ip?: string;
  /** The session the viewer came with. */
  sessionId?: number;
  /** The token the viewer came with, what it may do, and until when; absent for a session. */
  token?: { id: number; scopes: TokenScope[]; expiresAt: Date | null };
}

/** Whose objects an action reaches: nobody's (403), one's own (another's is 404), or everybody's. */
export type Reach = 'none' | 'own' | 'all';

/** Which role may do what to whose: the one place that says so. */
export const PERMISSIONS = {
  /** One's profile, password, tokens; to sign out. */
  'profile.use': { user: 'own', manager: 'own', admin: 'own' },
  /** Clients, imports, messages, mailings, runs, deliveries, attempts, statistics, exports. */
  'content.read': { user: 'own', manager: 'all', admin: 'all' },
  /** Making, editing, deleting, importing; starting, sending and finishing mailings, deciding about deliveries. */
  'content.change': { user: 'own', manager: 'own', admin: 'all' },
  /** Pausing a mailing, and resuming it. */
  'mailing.stop': { user: 'own', manager: 'all', admin: 'all' },
  'account.read': { user: 'all', manager: 'all', admin: 'all' },
  /** Sending a proof letter, and reading what came of it. */
  'account.prove': { user: 'none', manager: 'all', admin: 'all' },
  'account.resume': { user: 'none', manager: 'none', admin: 'all' },
  /** The list of users, inviting, letting in, blocking and unblocking; whom a manager may block says `mayBlock`. */
  'users.manage': { user: 'none', manager: 'all', admin: 'all' },
  'users.role': { user: 'none', manager: 'none', admin: 'all' },
  'audit.read': { user: 'none', manager: 'all', admin: 'all' },
  /** Keeping an address from the mail of all owners. */
  'suppressions.for_all': { user: 'none', manager: 'all', admin: 'all' },
  /** Whether the addresses that a mail server refused during an outage get mail, for all owners. */
  'outages.decide': { user: 'none', manager: 'all', admin: 'all' },
  /** Handing in letters that came back, which may stop mail for all owners; a token with the scope `inbound` may, too. */
  'inbound.take': { user: 'none', manager: 'all', admin: 'all' },
  /** Making the URLs by which mail providers report, and ending them. */
  'inbound.webhooks': { user: 'none', manager: 'all', admin: 'all' },
  /** Having a letter judged anew. */
  'inbound.judge': { user: 'none', manager: 'all', admin: 'all' },
  /** Bull Board. */
  'queues.read': { user: 'none', manager: 'all', admin: 'all' },
} as const satisfies Record<string, Record<Role, Reach>>;

export type Action = keyof typeof PERMISSIONS;

export const reach = (viewer: Pick<Viewer, 'role'>, action: Action): Reach => PERMISSIONS[action][viewer.role];

/** @throws ForbiddenError if the viewer's role may do this to nobody's objects */
export function requireMay(viewer: Viewer, action: Action): void {
  if (reach(viewer, action) === 'none') throw new ForbiddenError();
}

/** A manager blocks and lets in users only; an admin everybody but themselves. */
export function mayBlock(viewer: Viewer, user: { id: number; role: Role }): boolean {
  if (viewer.userId === user.id) return false;
  return viewer.role === 'admin' || (viewer.role === 'manager' && user.role === 'user');
}

/** Whom a viewer may invite as what: an admin anybody, a manager users. */
export const mayGrant = (viewer: Pick<Viewer, 'role'>, role: Role): boolean =>
  viewer.role === 'admin' || (viewer.role === 'manager' && role === 'user');

const ownerFor = (viewer: Viewer, action: Action): number | null =>
  reach(viewer, action) === 'all' ? null : viewer.userId;

/**
 * Whose objects the viewer may read: one owner's id, or null for everybody's. Goes into the SQL of every query as
 * `($1::bigint IS NULL OR owner_id = $1)`.
 */
export const readableOwner = (viewer: Viewer): number | null => ownerFor(viewer, 'content.read');

/** Whose content the viewer may change: a manager changes nobody else's. */
export const writableOwner = (viewer: Viewer): number | null => ownerFor(viewer, 'content.change');

/** Whether the viewer may change this owner's content. */
export function mayChangeOf(viewer: Viewer, ownerId: number): boolean {
  const owner = writableOwner(viewer);
  return owner === null || owner === ownerId;
}

/** Whose mailings the viewer may pause and resume: a manager may stop things. */
export const stoppableOwner = (viewer: Viewer): number | null => ownerFor(viewer, 'mailing.stop');

/**
 * Whether this viewer may lift a suppression. What a person said, only they take back, or a manager who says why; a
 * complaint only an admin; what is known of an address may be wrong, and its owner tries again, but not over and over.
 */
export function mayLift(
  viewer: Pick<Viewer, 'userId' | 'role'>,
  { reason, ownerId }: { reason: SuppressionReason; ownerId: number | null },
): 'yes' | 'once_a_month' | 'no' {
  if (viewer.role === 'admin') return 'yes';
  if (reason === 'complaint') return 'no';
  if (viewer.role === 'manager') return 'yes';
  if (reason === 'unsubscribed') return 'no';
  if (reason === 'hard_bounce') return 'once_a_month';
  return ownerId === viewer.userId || (ownerId === null && reason === 'invalid') ? 'yes' : 'no';
}

/** The reasons that this viewer may lift for many addresses at once, of their own files. */
export const liftableReasons = (viewer: Pick<Viewer, 'userId' | 'role'>): SuppressionReason[] =>
  suppressionReasons.filter((reason) => mayLift(viewer, { reason, ownerId: viewer.userId }) === 'yes');
