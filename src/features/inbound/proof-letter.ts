import { createHash } from 'node:crypto';
import type { Config } from '../../config/config.module';
import type { Sql } from '../../database/database';
import { senderOf } from '../../domain/identity';
import { letterDigest, messageIdOf, messageIdPart } from '../../domain/message-id';
import type { ProofLetter } from '../../domain/proof';

/** A proof letter as it is stored, once it was composed. */
export interface ProofRow {
  id: number;
  proofKey: string;
  address: string;
  unsubscribeUrl: string;
}

export const proofDigest = ({ id, proofKey }: Pick<ProofRow, 'id' | 'proofKey'>): string =>
  letterDigest({ runKey: proofKey, runId: 0, clientId: id, deliveryId: id }, '');

/** What a proof letter was when it went out. */
export function proofLetter(row: ProofRow, { mailFrom }: Pick<Config, 'mailFrom'>): ProofLetter {
  const { from, domain } = senderOf(mailFrom);
  const digest = proofDigest(row);
  return {
    mark: messageIdPart(digest),
    messageId: messageIdOf(digest, domain),
    from: from.address,
    envelopeFrom: row.address,
    unsubscribeUrl: row.unsubscribeUrl,
    unsubscribeAddress: row.address,
  };
}

/** What is proved: with another relay, sender or key, nothing is proved any more. */
export function provedSettings(config: Config): string {
  const { smtpUrl, mailFrom, bounceAddress, dkimDomain, dkimSelector, dkimSelector2, secretKey } = config;
  const keys = [config.dkimPrivateKey, config.dkimPrivateKey2];
  return createHash('sha256')
    .update(
      JSON.stringify([smtpUrl, mailFrom, bounceAddress, dkimDomain, dkimSelector, dkimSelector2, keys, secretKey]),
    )
    .digest('hex');
}

/** What is tried again if Redis lost its job; a letter that waits for so long is given up. */
export async function waitingProofs(sql: Sql): Promise<number[]> {
  const rows = await sql.rows<{ id: number }>(
    `SELECT id FROM proof_letters WHERE state = 'waiting' AND created_at > app_now() - interval '15 minutes' ORDER BY id`,
  );
  return rows.map(({ id }) => id);
}
