export type Role = 'user' | 'manager' | 'admin';

/** Who asks. Every service takes one, and every query asks for what this viewer may see. */
export interface Viewer {
  userId: number;
  role: Role;
}

/**
 * Whose objects the viewer may read: one owner's id, or null for everybody's. Goes into the SQL of every query as
 * `($1::bigint IS NULL OR owner_id = $1)`.
 */
export function readableOwner(viewer: Viewer): number | null {
  return viewer.role === 'user' ? viewer.userId : null;
}

/** Whose content the viewer may change: a manager changes nobody else's. */
export function writableOwner(viewer: Viewer): number | null {
  return viewer.role === 'admin' ? null : viewer.userId;
}

/** Whose mailings the viewer may pause and resume: a manager may stop things. */
export function stoppableOwner(viewer: Viewer): number | null {
  return viewer.role === 'user' ? viewer.userId : null;
}
