import { type Occurrence, type Schedule, upcoming } from '../../src/domain/recurrence';

/** The first `limit` occurrences in `[from, to)`, oldest first. */
export const occurrencesBetween = (schedule: Schedule, from: Date, to: Date, limit: number): Occurrence[] =>
  upcoming(schedule, new Date(from.getTime() - 1), limit).filter(({ at }) => at < to);
