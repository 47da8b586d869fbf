import type { Sql } from '../../database/database';
import type { ProviderReport } from '../../domain/providers/provider';
import { addressForm } from '../../domain/same-address';
import type { ReturnAddresses } from '../consent/return-addresses';
import { byMessageId, byToken, LETTERS_TO, type OwnLetter } from './match';

/** What is told later than this is not taken for what became of a letter, */
const DAYS = 7;
/** and the provider's clock may be ahead of ours by so much. */
const AHEAD = '5 minutes';
const HANDLE_MIN = 10;

/**
 * Finds the letter of ours that a provider reports about: by its envelope sender, else by its Message-ID, else the
 * last one to that address before. Only who set the webhook up, and the provider, can make a report, so what it says of
 * an address binds everybody. By recipient and time alone it may be about a letter that something else sent through the
 * same account: a complaint or wish to unsubscribe then binds only the owner.
 */
export async function matchReport(
  sql: Sql,
  returns: ReturnAddresses,
  report: ProviderReport,
  receivedAt: Date,
): Promise<OwnLetter | null> {
  const token = report.sender === null ? null : await returns.read(report.sender);
  if (token) return byToken(sql, token);
  const address = addressForm(report.address);
  if (report.messageId !== null) {
    const found = await byMessageId(sql, `${address} ${report.messageId}`);
    return found && { ...found, isSigned: true };
  }
  return byRecipient(sql, report, address, receivedAt);
}

/** Of several letters of the last days, the one whose handing over the provider answered with what it calls it now. */
async function byRecipient(
  sql: Sql,
  { at, handle, meaning }: ProviderReport,
  address: string,
  receivedAt: Date,
): Promise<OwnLetter | null> {
  const time = at !== null && at < receivedAt ? at : receivedAt;
  for (const letters of LETTERS_TO) {
    const found = await sql.first<Omit<OwnLetter, 'by' | 'isSigned'>>(
      `SELECT d.id AS delivery_id, d.email, r.owner_id, r.mailing_id FROM (${letters}) d JOIN runs r ON r.id = d.run_id
        WHERE d.status IN ('sent', 'unknown') AND lower(d.email) = ANY($1::text[])
          AND d.updated_at BETWEEN $2::timestamptz - interval '${DAYS} days' AND $2::timestamptz + interval '${AHEAD}'
        ORDER BY EXISTS (SELECT FROM attempts a WHERE a.delivery_id = d.id AND a.status = 'ok'
                            AND position($3::text in a.server_response) > 0) DESC, d.updated_at DESC, d.id DESC LIMIT 1`,
      [[address], time, handle !== null && handle.length >= HANDLE_MIN ? handle : null],
    );
    if (found) return { by: 'recipient', isSigned: meaning.is === 'failed', ...found };
  }
  return null;
}
