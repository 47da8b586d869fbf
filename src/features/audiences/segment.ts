import { all } from './all';
import type { AudienceKind } from './audience';

/**
 * The owner's clients whom the mailing's segment lets in, when a run is planned. Whoever comes to match later gets the
 * next occurrence: nobody watches for a client to begin to match.
 */
export const segment: AudienceKind = { ...all, input: 'segmentId', grows: false, counted: false };
