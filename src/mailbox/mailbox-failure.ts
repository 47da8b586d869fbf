import type { ImapFlowError } from 'imapflow';

/** Why a mailbox can't be read. */
export const mailboxProblems = [
  'unreachable',
  'interrupted',
  'tls_failed',
  'login_refused',
  'token_refused',
  'token_unreachable',
  'folder_missing',
  'refused',
  'broken',
] as const;
export type MailboxProblem = (typeof mailboxProblems)[number];

/** A mailbox can't be read. `detail` is a code of the system, the library or the protocol: nothing that a server wrote. */
export class MailboxFailure extends Error {
  override readonly name = 'MailboxFailure';

  constructor(
    readonly problem: MailboxProblem,
    readonly detail = '',
  ) {
    super(detail === '' ? problem : `${problem} (${detail})`);
  }
}

const UNREACHABLE = /^(?:ECONN(?:REFUSED|ABORTED)|E(?:HOST|NET)UNREACH|ENOTFOUND|EAI_|ETIMEDOUT|CONNECT_|GREETING_)/;
const TLS =
  /^(?:ERR_(?:TLS|SSL)|CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_OSSL|STARTTLS_|UPGRADE_|ClosedAfterConnectTLS)/;
const BROKEN = /^(?:Parser|MAX_IMAP|.*Too(?:Large|Many)|InvalidResponse|ResponseProcessing|(?:Unexpected|Missing)Tag)/;
/** The library gives it no code. */
const NO_WAY_IN = /^Unsupported authentication/;
const CODE = /^[\w-]{1,60}$/;

/** What went wrong, in our words. `isOpening`: while it was connected to. */
export function failureOf(error: unknown, isOpening: boolean): MailboxFailure {
  if (error instanceof MailboxFailure) return error;
  const {
    code = '',
    authenticationFailed,
    tlsFailed,
    serverResponseCode,
    responseStatus,
    mailboxMissing,
  } = error as ImapFlowError;
  const detail = [serverResponseCode, code, responseStatus].find((text) => text && CODE.test(text)) ?? '';
  const is = (problem: MailboxProblem) => new MailboxFailure(problem, detail);
  if (authenticationFailed) return is('login_refused');
  if (NO_WAY_IN.test((error as Error).message)) return new MailboxFailure('login_refused', 'NO_MECHANISM');
  if (tlsFailed || TLS.test(code)) return is('tls_failed');
  if (UNREACHABLE.test(code)) return is('unreachable');
  if (BROKEN.test(code)) return is('broken');
  if (mailboxMissing || serverResponseCode === 'NONEXISTENT') return is('folder_missing');
  if (responseStatus) return is('refused');
  return is(isOpening ? 'unreachable' : 'interrupted');
}
