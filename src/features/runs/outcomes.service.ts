import { Injectable } from '@nestjs/common';
import { within } from '../../database/bounded';
import { Database } from '../../database/database';
import { foldCounts, isCutOff, isLive, type Moved, moveCounts, waiting } from '../../domain/outcome';
import { readableOwner, type Viewer } from '../../domain/permissions';
import type { DeliveryCounts, RunStatus } from '../../domain/states';
import { RUN_COUNTS } from './run-view';
import { SENDINGS } from './sending-tree';

/** What became of the people of a mailing's newest sending: its first run and all runs to those who failed. */
export interface Outcome {
  mailingId: number;
  /** The run that is under way, or else the last one of them. */
  runId: number;
  status: RunStatus;
  paused: boolean;
  cutOff: boolean;
  /** Each person counts once, with what became of them in the end; an estimate if too many were sent to again. */
  counts: DeliveryCounts;
  /** How many wait. */
  open: number;
  /** Whether it was sent again to those who failed. */
  repeated: boolean;
  /** The last run in which a letter failed or is of unknown outcome; null if by now nobody is left who is counted so. */
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
 * The counts of a sending are exact as long as at most so many letters were sent again: these are looked up one by one,
 * `ASKED_ONE_BY_ONE` in one call, `ASKED_WHILE_LIVE` of a sending that is under way, because its page asks every second
 * or two. For more of them, or if the look-up takes longer than `ASKED_MS`, the counts are estimated (`foldCounts`).
 */
const ASKED_ONE_BY_ONE = 10_000;
const ASKED_WHILE_LIVE = 1_000;
const ASKED_MS = 1_000;

/** What became of people: a run to those who failed is no other sending, it changes what became of these people. */
@Injectable()
export class OutcomesService {
  constructor(private readonly database: Database) {}

  /**
   * By the mailing's id. Without those that were never sent, of which occurrences were only missed, and without those
   * that the viewer may not read. It takes at most two queries, whatever the number of mailings.
   */
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

  /** Of each mailing all runs of the sending to which its newest run belongs, the first one first. */
  private chains(viewer: Viewer, mailingIds: number[]): Promise<ChainRun[]> {
    return this.database.rows<ChainRun>(
      `${SENDINGS(`SELECT r.id, r.mailing_id, r.source_run_id FROM unnest($1::bigint[]) AS w(id),
         LATERAL (SELECT * FROM runs WHERE mailing_id = w.id AND status <> 'missed' ORDER BY id DESC LIMIT 1) r
        WHERE $2::bigint IS NULL OR r.owner_id = $2`)}
       SELECT r.mailing_id, s.root, r.id, r.status, r.paused_at IS NOT NULL AS paused, ${RUN_COUNTS} AS counts
         FROM sending s JOIN runs r ON r.id = s.id ORDER BY s.root, r.id`,
      [mailingIds, readableOwner(viewer)],
    );
  }

  /**
   * Of those who were sent to again, how many were what in the first run and are what now. Who has the letter by any of
   * the runs counts as `sent`, everybody else with what came of the last run to them. Empty if it takes too long.
   */
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
