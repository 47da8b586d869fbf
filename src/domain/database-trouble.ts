/** What is known of a failed statement: its SQLSTATE or Node's error code, Postgres' severity, the message. */
export interface DatabaseFailure {
  code?: string | undefined;
  severity?: string | undefined;
  message: string;
}

/**
 * Failures after which the same statement may succeed later. It may also have been committed already and only its
 * answer lost, so repeating it must be harmless.
 *
 * `away`: the server, the network or a pooler in between accepts no work at the moment. `crossed`: only this statement
 * was stopped: by a lock, a time limit, a deadlock or a person.
 *
 * Anything else is Postgres' answer to the statement: data that can't be stored (classes 22, 23) or wrong SQL (42).
 */
export type DatabaseTrouble = 'away' | 'crossed';

/** SQLSTATEs, whole or by their class; the first row that fits counts. */
const STATES: [state: string, trouble: DatabaseTrouble, why: string][] = [
  ['08', 'away', 'the connection failed or was refused; also what PgBouncer says of itself (08P01)'],
  ['25006', 'away', 'read-only: a full disk at a provider, a primary that was replaced, a standby'],
  ['25P02', 'crossed', 'an earlier statement of the transaction failed'],
  ['25P03', 'crossed', 'the session sat in its transaction for too long'],
  ['25P04', 'crossed', 'the transaction took too long'],
  ['26000', 'crossed', 'a pooler gave the statement a session that has not prepared it'],
  ['42P05', 'crossed', 'a pooler gave the statement a session that has prepared it for somebody else'],
  ['28', 'away', 'the login is refused: a password or pg_hba.conf is being changed'],
  ['3D000', 'away', 'the database is not there: it is being restored or renamed'],
  ['40', 'crossed', 'rolled back: a deadlock, a serialization failure, a conflict with recovery'],
  ['42501', 'away', 'rights are missing: they are being changed'],
  ['53', 'away', 'no connection, memory or room on the disk is left'],
  ['55000', 'away', 'the database takes no connections for now'],
  ['55006', 'away', 'the database is in use by what must be alone with it'],
  ['55P03', 'crossed', 'a lock was not got in time'],
  ['57014', 'crossed', 'cancelled by hand or by statement_timeout'],
  ['57', 'away', 'starting, stopping, crashed; the session was ended'],
  ['58', 'away', "the server's disk or operating system failed"],
  ['72000', 'crossed', 'the snapshot was too old'],
];

/** Node's codes of sockets, names and TLS. */
const NETWORK = new RegExp(
  '^(ECONN(REFUSED|RESET|ABORTED)|E(HOST|NET)(UNREACH|DOWN)|ENETRESET|ETIMEDOUT|EPIPE|EPROTO|' +
    'ENOTFOUND|ENOENT|EAI_|EADDRNOTAVAIL|' +
    'EMFILE|ENFILE|ENOBUFS|ERR_(SSL|TLS|STREAM)_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)',
);

/** Error messages without a code, or that say more than their code: of pg, pg-pool, TypeORM, Postgres, PgBouncer. */
const WORDS: [words: RegExp, trouble: DatabaseTrouble][] = [
  [/Connection terminated|connection error|not queryable|timeout exceeded when trying to connect/i, 'away'],
  [/Query runner already released|Driver not Connected|Cannot use a pool after calling end/i, 'away'],
  [/Query read timeout|cached plan must not change result type/i, 'crossed'],
  [/SSL connection|socket disconnected|secure TLS connection/i, 'away'],
  [/the database system is|too many (clients|connections)|remaining connection slots/i, 'away'],
  [/query_wait_timeout|query_timeout|idle_transaction_timeout|client_(login|idle)_timeout|server_login_retry/i, 'away'],
  [
    /no more connections allowed|server conn crashed|cannot connect to server|server login (has been )?failing/i,
    'away',
  ],
  [/pooler is (shut|shutting) down|database is (paused|disabled|suspended)|does not allow connections/i, 'away'],
];

/** Null if the failure is Postgres' answer to the statement. */
export function databaseTrouble({ code = '', severity = '', message }: DatabaseFailure): DatabaseTrouble | null {
  const state = STATES.find(([known]) => code.startsWith(known));
  if (state && code.length === 5) return state[1];
  // Postgres ended the session; the statement itself may be fine.
  if (severity === 'FATAL' || severity === 'PANIC' || NETWORK.test(code)) return 'away';
  return WORDS.find(([words]) => words.test(message))?.[1] ?? null;
}
