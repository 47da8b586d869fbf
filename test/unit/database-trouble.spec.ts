import { databaseTrouble } from '../../src/domain/database-trouble';
import { isUnavailable } from '../../src/database/database';

const said = (code: string, message = 'said something', severity = 'ERROR') => ({ code, message, severity });

describe('what a failure of the database says of the statement', () => {
  it.each([
    // Nobody's statements succeed for now.
    ['away', said('08000')],
    ['away', said('08006', 'connection failure')],
    ['away', said('08P01', 'query_wait_timeout')],
    ['away', said('25006', 'cannot execute UPDATE in a read-only transaction')],
    ['away', said('28P01', 'password authentication failed for user "gonets"', 'FATAL')],
    ['away', said('28000', 'no pg_hba.conf entry for host')],
    ['away', said('3D000', 'database "gonets" does not exist')],
    ['away', said('42501', 'permission denied for table deliveries')],
    ['away', said('53100', 'could not extend file: No space left on device')],
    ['away', said('53200', 'out of memory')],
    ['away', said('53300', 'sorry, too many clients already')],
    ['away', said('55000', 'database "gonets" is not currently accepting connections')],
    ['away', said('55006')],
    ['away', said('57P01', 'terminating connection due to administrator command', 'FATAL')],
    ['away', said('57P02')],
    ['away', said('57P03', 'the database system is starting up', 'FATAL')],
    ['away', said('57P05', 'terminating connection due to idle-session timeout', 'FATAL')],
    ['away', said('58000')],
    ['away', said('58030', 'could not read block 7: Input/output error')],
    ['away', said('XX000', 'Max client connections reached', 'FATAL')],
    // This statement was stopped.
    ['crossed', said('25P02', 'current transaction is aborted')],
    ['crossed', said('25P03', 'terminating connection due to idle-in-transaction timeout', 'FATAL')],
    ['crossed', said('25P04', 'terminating connection due to transaction timeout', 'FATAL')],
    ['crossed', said('26000', 'prepared statement "ledger" does not exist')],
    ['crossed', said('42P05', 'prepared statement "ledger" already exists')],
    ['crossed', said('0A000', 'cached plan must not change result type')],
    ['crossed', said('40001', 'canceling statement due to conflict with recovery')],
    ['crossed', said('40003')],
    ['crossed', said('40P01', 'deadlock detected')],
    ['crossed', said('55P03', 'canceling statement due to lock timeout')],
    ['crossed', said('57014', 'canceling statement due to statement timeout')],
    ['crossed', said('72000')],
    ['crossed', { message: 'Query read timeout' }],
    // An answer: to say the same again brings the same.
    [null, said('0A000', 'COPY FROM is not supported here')],
    [null, said('22021', 'invalid byte sequence for encoding "UTF8"')],
    [null, said('22003')],
    [null, said('23505', 'duplicate key value violates unique constraint')],
    [null, said('23514')],
    [null, said('25001')],
    [null, said('42601', 'syntax error')],
    [null, said('42P01', 'relation "deliveries" does not exist')],
    [null, said('55P02')],
    [null, said('P0001')],
    [null, said('XX001', 'invalid page in block 3')],
    [null, { message: 'Cannot read properties of undefined' }],
  ])('%s: %j', (trouble, failure) => {
    expect(databaseTrouble(failure)).toBe(trouble);
  });

  it.each([
    ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'ETIMEDOUT', 'EPIPE', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH'],
    ...['ENETDOWN', 'ENOTFOUND', 'EAI_AGAIN', 'EAI_FAIL', 'ENOENT', 'EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER'],
    ...[
      'CERT_HAS_EXPIRED',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_STREAM_PREMATURE_CLOSE',
    ],
  ])('away: Node says %s', (code) => {
    expect(databaseTrouble({ code, message: '' })).toBe('away');
  });

  it.each([
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'Client has encountered a connection error and is not queryable',
    'Query runner already released. Cannot run queries anymore.',
    'Cannot use a pool after calling end on the pool',
    'The server does not support SSL connections',
    'the database system is in recovery mode',
    // PgBouncer, by words alone.
    'query_wait_timeout',
    'server_login_retry',
    'client_login_timeout',
    'idle_transaction_timeout',
    'pgbouncer cannot connect to server',
    'no more connections allowed (max_client_conn)',
    'server conn crashed?',
    'server login has been failing, try again later (server_login_retry)',
    'the pooler is shut down',
    'bouncer config error: database does not allow connections: gonets',
    'database is paused',
  ])('away: %s', (message) => {
    expect(databaseTrouble({ message })).toBe('away');
  });

  it('is found in what TypeORM and pg-pool wrap around it', () => {
    const answer = Object.assign(new Error('cannot execute INSERT in a read-only transaction'), { code: '25006' });
    expect(isUnavailable(Object.assign(new Error('query failed'), { driverError: answer }))).toBe(true);
    expect(isUnavailable(new Error('no connection', { cause: answer }))).toBe(true);
    expect(isUnavailable(new Error('a fault of ours'))).toBe(false);
    expect(isUnavailable('nonsense')).toBe(false);
  });
});
