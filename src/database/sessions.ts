import type { ClientBase } from 'pg';

/** The process number of the message BackendKeyData, sent when connecting; the types of pg leave it out. */
type Connected = ClientBase & { processID?: number | null };

/**
 * What this process's connections can rely on. Connected to Postgres itself, each is a session of its own: statements
 * are prepared once, and settings are made once. Behind a pooler a session may be another one in every transaction, and
 * the pooler may refuse settings in the startup packet; so nothing is prepared, and settings are made per transaction.
 *
 * A pooler gives its clients process numbers of its own making: a session that calls itself otherwise is not ours
 * alone.
 */
export class Sessions {
  /** True from the first connection through a pooler on. */
  shared = false;

  constructor(
    /**
     * A process that is frozen inside a transaction must not hold its locks: after so long Postgres ends the session.
     */
    readonly frozenMs: number,
    private readonly onShared: () => void = () => undefined,
  ) {}

  /** For pg-pool: what is done with a new connection before its first use. */
  readonly onConnect = async (client: Connected): Promise<void> => {
    const { rows } = await client.query<{ own: boolean }>(
      `SELECT own, CASE WHEN own THEN set_config('idle_in_transaction_session_timeout', $2, false) END
         FROM (SELECT pg_backend_pid() = $1 AS own) session`,
      [client.processID ?? 0, String(this.frozenMs)],
    );
    if (rows[0]?.own || this.shared) return;
    this.shared = true;
    this.onShared();
  };
}
