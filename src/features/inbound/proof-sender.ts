import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database } from '../../database/database';
import { untilAnswered } from '../../database/wait';
import { unsubscribeUrl } from '../../domain/address-token';
import { prepareLetter } from '../../domain/compose';
import { composeSigned, type Identity } from '../../domain/identity';
import { boundaryOf } from '../../domain/message-id';
import { proofContent } from '../../domain/proof';
import { classify, responseText, type TransmitResult, type Verdict } from '../../domain/smtp-outcome';
import { SmtpPool } from '../../smtp/smtp-pool';
import { LinkKeys } from '../consent/link-keys.service';
import { ReturnAddresses } from '../consent/return-addresses';
import { storable } from '../../domain/storable';
import { proofDigest, proofLetter, type ProofRow } from './proof-letter';

/** Sends a proof letter, in the way of a mailing's letters: once, because somebody waits for what comes of it. */
@Injectable()
export class ProofSender {
  constructor(
    private readonly database: Database,
    private readonly pool: SmtpPool,
    private readonly keys: LinkKeys,
    private readonly returns: ReturnAddresses,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @returns null if it was sent already */
  async send(id: number, identity: Identity): Promise<{ result: TransmitResult; verdict: Verdict } | null> {
    const row = await this.claim(id);
    if (!row) return null;
    const { address } = row;
    const result = await this.pool.transmit({
      from: address,
      to: address,
      raw: this.letter(row, identity),
      first: true,
    });
    const verdict = classify(result, { from: address, to: address });
    const isSent = verdict.delivery === 'sent' || verdict.delivery === 'unknown';
    await untilAnswered(() =>
      // It may be back already.
      this.database.affected(
        `UPDATE proof_letters SET state = CASE WHEN state = 'sending' THEN $2 ELSE state END, sent_at = app_now(),
                response = coalesce(response, $3) WHERE id = $1`,
        [id, isSent ? 'sent' : 'refused', storable(responseText(result)).slice(0, 1_000)],
      ),
    );
    return { result, verdict };
  }

  private async claim(id: number): Promise<(ProofRow & { date: Date }) | undefined> {
    const address = await this.returns.ofProof(id);
    const tokenOf = await this.keys.signer({ kind: 'test', ownerId: 0, mailingId: 0 });
    if (address === null) return undefined;
    return this.database.first<ProofRow & { date: Date }>(
      `UPDATE proof_letters SET state = 'sending', address = $2, unsubscribe_url = $3
        WHERE id = $1 AND state = 'waiting' RETURNING id, proof_key, address, unsubscribe_url, app_now() AS date`,
      [id, address, unsubscribeUrl(this.config.publicUrl, tokenOf(0, address))],
    );
  }

  private letter(row: ProofRow & { date: Date }, identity: Identity) {
    const { from, domain } = identity;
    const { date } = row;
    const { mark, messageId, unsubscribeUrl: link, unsubscribeAddress } = proofLetter(row, this.config);
    const content = proofContent(mark);
    const prepared = prepareLetter({
      from,
      content: { render: () => content },
      listId: `proof.${domain}`,
      mailingName: 'Proof letter',
      leavable: true,
    });
    return ({ eightBitMime }: { eightBitMime: boolean }): Buffer =>
      composeSigned(identity, prepared, {
        data: {
          client: { fullName: '', email: row.address, comment: '' },
          mailing: { name: 'Proof letter' },
          sender: { name: from.name, email: from.address },
          unsubscribeUrl: link,
          date: date.toISOString(),
        },
        messageId,
        boundary: boundaryOf(proofDigest(row)),
        date,
        eightBitMime,
        unsubscribeAddress,
      });
  }
}
