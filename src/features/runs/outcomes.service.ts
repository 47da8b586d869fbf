import { Injectable } from '@nestjs/common';
import { within } from '../../database/bounded';
import { Database } from '../../database/database';
import { foldCounts, isCutOff, isLive, type Moved, moveCounts, waiting } from '../../domain/outcome';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { DeliveryCounts, RunStatus } from '../../domain/states';
import { RUN_COUNTS } from './run-view';

/** What became of the people of a mailing's newest sending, whatever number of runs it took. */
export interface Outcome {
  mailingId: number;
  /** The run that is under way, or else the last one of them. */
  runId: number;
  status: RunStatus;
  paused: boolean;
  cutOff: boolean;
  /** Each person once, as they are after all of these runs. */
  counts: DeliveryCounts;
  /** How many wait. */
  open: number;
  /** Whether it was sent again to those who failed. */
  repeated: boolean;
  /** The last of the runs in which somebody failed, or whose outcome is unknown; null if there is none. */
  failedRunId: number | null;
}

interface ChainRun {
  mailingId: number;
  root: number;
  id: number;
  status: RunStatus;
  paused: boolean;
  counts: DeliveryCounts;
}

/**
 * Of more people who were sent to again it is not asked one by one what became of them: in one call, and of a sending
 * that is under way, about which pages ask every second or two.
 */
const ASKED_ONE_BY_ONE = 10_000;
const ASKED_WHILE_LIVE = 1_000;
const ASKED_MS = 1_000;

/** The outcome of sendings for people: a run to those who failed changes what became of them, it is no other sending. */
@Injectable()
export class OutcomesService {
  constructor(private readonly database: Database) {}

  /** By the mailing's id, of those that were sent; missed occurrences do not count. Two statements at most. */
  async of(viewer: Viewer, mailingIds: number[]): Promise<Map<number, Outcome>> {
    if (mailingIds.length === 0) return new Map();
    const runs = await this.chains(viewer, mailingIds);
    const chains = new Map<number, ChainRun[]>();
    for (const run of runs) chains.set(run.root, [...(chains.get(run.root) ?? []), run]);
    const moved = await this.moved(askedOneByOne([...chains.values()]));
    return new Map(
      [...chains.values()].map((chain) => [chain[0]!.mailingId, outcomeOf(chain, moved.get(chain[0]!.root))]),
    );
  }

  /** For each mailing its newest run, the one whose people that went to, and all runs to those who failed, in order. */
  private chains(viewer: Viewer, mailingIds: number[]): Promise<ChainRun[]> {
    return this.database.rows<ChainRun>(
      `WITH RECURSIVE up AS (
         SELECT r.id, r.mailing_id, r.source_run_id FROM unnest($1::bigint[]) AS w(id),
           LATERAL (SELECT * FROM runs WHERE mailing_id = w.id AND status <> 'missed' ORDER BY id DESC LIMIT 1) r
          WHERE $2::bigint IS NULL OR r.owner_id = $2
         UNION ALL
         SELECT s.id, s.mailing_id, s.source_run_id FROM up JOIN runs s ON s.id = up.source_run_id),
       chain AS (
         SELECT id AS root, id, mailing_id FROM up WHERE source_run_id IS NULL
         UNION ALL
         SELECT c.root, n.id, n.mailing_id FROM chain c
           JOIN runs n ON n.mailing_id = c.mailing_id AND n.id > c.id AND n.source_run_id = c.id)
       SELECT r.mailing_id, c.root, r.id, r.status, r.paused_at IS NOT NULL AS paused, ${RUN_COUNTS} AS counts
         FROM chain c JOIN runs r ON r.id = c.id ORDER BY c.root, r.id`,
      [mailingIds, readableOwner(viewer)],
    );
  }

  /** What became of those who were sent to again: who has the letter has it, else the last try counts. */
  private async moved(resends: ChainRun[]): Promise<Map<number, Moved[]>> {
    if (resends.length === 0) return new Map();
    const rows = await within(this.database, ASKED_MS, (sql) =>
      sql.rows<Moved & { root: number }>(
        `SELECT last.root, b.status AS was, last.status AS "is", count(*) AS n FROM (
         SELECT DISTINCT ON (w.root, d.client_id) w.root, d.client_id, d.status
           FROM unnest($1::bigint[], $2::bigint[]) AS w(root, id) JOIN deliveries d ON d.run_id = w.id
          ORDER BY w.root, d.client_id, d.status = 'sent' DESC, d.run_id DESC) last
         JOIN deliveries b ON b.client_id = last.client_id AND b.run_id = last.root AND b.status <> 'sent'
        GROUP BY 1, 2, 3`,
        [resends.map(({ root }) => root), resends.map(({ id }) => id)],
      ),
    );
    if (!rows) return new Map();
    const found = new Map<number, Moved[]>(resends.map(({ root }) => [root, []]));
    for (const { root, ...move } of rows.value) found.get(root)?.push(move);
    return found;
  }
}

/** The runs to those who failed of as many sendings as may be asked about, the small ones first. */
function askedOneByOne(chains: ChainRun[][]): ChainRun[] {
  const total = (runs: ChainRun[]) => runs.reduce((n, { counts }) => n + counts.total, 0);
  const resends = chains
    .map((chain) => ({ runs: chain.slice(1), live: chain.some(({ status }) => isLive(status)) }))
    .map(({ runs, live }) => ({ runs, live, people: total(runs) }))
    .sort((a, b) => a.people - b.people);
  const asked: ChainRun[] = [];
  let left = ASKED_ONE_BY_ONE;
  for (const { runs, live, people } of resends) {
    if (people > (live ? Math.min(left, ASKED_WHILE_LIVE) : left)) continue;
    left -= people;
    asked.push(...runs);
  }
  return asked;
}

function outcomeOf(chain: ChainRun[], moves: Moved[] | undefined): Outcome {
  const [first, ...resends] = chain as [ChainRun, ...ChainRun[]];
  const counts = moves
    ? moveCounts(first.counts, moves)
    : foldCounts(
        first.counts,
        resends.map((run) => run.counts),
      );
  const shown = chain.findLast(({ status }) => isLive(status)) ?? chain.at(-1)!;
  const failed = chain.findLast((run) => run.counts.failed + run.counts.unknown > 0);
  return {
    mailingId: first.mailingId,
    runId: shown.id,
    status: shown.status,
    paused: shown.paused,
    cutOff: chain.some((run) => isCutOff(run.status, run.counts)),
    counts,
    open: waiting(counts),
    repeated: resends.length > 0,
    failedRunId: counts.failed + counts.unknown > 0 ? (failed?.id ?? null) : null,
  };
}
