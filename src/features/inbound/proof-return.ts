import type { Config } from '../../config/config.module';
import type { Transaction } from '../../database/database';
import { unwrap } from '../../domain/inbound-decision';
import { deliveryReports } from '../../domain/delivery-report';
import { identityOf } from '../../domain/identity';
import { examineProof, isProof } from '../../domain/proof';
import { header } from '../../domain/read-letter';
import { storable } from '../../domain/storable';
import { type ProofRow, proofLetter } from './proof-letter';

/** What came in at a proof letter's address. */
interface Incoming {
  envelopeFrom: string;
  raw: Buffer;
  source: string;
}

/**
 * Notes what came of a proof letter, in the transaction that judges the letter which came to its address. The first one
 * that came back counts; a report about it counts until then. Harmless to repeat.
 */
export async function noteProof(tx: Transaction, config: Config, proofId: number, letter: Incoming): Promise<void> {
  const row = await tx.first<ProofRow>(
    `SELECT id, proof_key, address, unsubscribe_url FROM proof_letters
      WHERE id = $1 AND state NOT IN ('waiting', 'returned') FOR UPDATE`,
    [proofId],
  );
  if (!row) return;
  const letters = await unwrap(letter.raw);
  const sent = proofLetter(row, config);
  if (isProof(letters[0]!, letter.raw, sent.mark)) {
    const { findings, receivers } = await examineProof(sent, letter, identityOf(config).dkim);
    await tx.affected(
      `UPDATE proof_letters SET state = 'returned', returned_at = app_now(), source = $2, checks = $3, receivers = $4
        WHERE id = $1`,
      [proofId, letter.source, JSON.stringify(findings), receivers.map(storable)],
    );
    return;
  }
  const report = letters.flatMap((each) => deliveryReports(each)).find(({ action }) => action === 'failed');
  if (!report) return;
  const said = report.diagnostic || header(letters[0]!, 'subject');
  await tx.affected(
    `UPDATE proof_letters SET state = 'bounced', returned_at = app_now(), source = $2, response = $3 WHERE id = $1`,
    [proofId, letter.source, storable(said).slice(0, 1_000)],
  );
}
