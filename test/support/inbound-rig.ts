import { unsubscribeUrl } from '../../src/domain/address-token';
import { letterDigest, messageIdPart } from '../../src/domain/message-id';
import { LinkKeys } from '../../src/features/consent/link-keys.service';
import { ReturnAddresses, type ReturnPair } from '../../src/features/consent/return-addresses';
import { PlannerService } from '../../src/features/runs/planner.service';
import type { TestApi } from './api';

/** A letter of a run, as it went out. */
export interface SentLetter {
  deliveryId: number;
  runId: number;
  mailingId: number;
  clientId: number;
  email: string;
  messageId: string;
  returnPair: ReturnPair;
  link: string;
}

export const INBOUND_SETTINGS = { bounceAddress: 'b@news.example.org', feedbackAddress: 'fbl@news.example.org' };

/** Letters to these addresses that were sent in one run of this owner. */
export async function sentTo(
  api: TestApi,
  ownerId: number,
  emails: string[],
  known: number[] = [],
): Promise<SentLetter[]> {
  const mailingId = await api.make.mailing({ ownerId, status: 'started', recipients: () => [] });
  await api.make.select(mailingId, known.length > 0 ? known : await api.make.clients(ownerId, emails));
  const runId = await api.make.run(mailingId);
  const [{ key = '' } = {}] = await api.database.rows<{ key: string }>(
    'UPDATE runs SET letter_key = gen_random_uuid() WHERE id = $1 RETURNING letter_key AS key',
    [runId],
  );
  await api.app.get(PlannerService, { strict: false }).plan(runId);
  const sent = await api.database.rows<{ id: number; clientId: number; email: string }>(
    `UPDATE deliveries SET status = 'sent', claimed_by = NULL WHERE run_id = $1 RETURNING id, client_id, email`,
    [runId],
  );
  await api.database.rows(`UPDATE runs SET status = 'done' WHERE id = $1`, [runId]);
  const keys = api.app.get(LinkKeys, { strict: false });
  const returnPairOf = await api.app.get(ReturnAddresses, { strict: false }).writer();
  const tokenOf = await keys.signer({ kind: 'unsubscribe', ownerId, mailingId });
  return sent.map(({ id, clientId, email }) => ({
    deliveryId: id,
    runId,
    mailingId,
    clientId,
    email,
    messageId: `${messageIdPart(letterDigest({ runKey: key, runId, clientId, deliveryId: id }, ''))}@news.example.org`,
    returnPair: returnPairOf?.(id) ?? { bounce: '', unsubscribe: '' },
    link: unsubscribeUrl('https://mail.example.org', tokenOf(id, email)),
  }));
}

/** An example, or an address in it, with what stands for a letter replaced by what this one carries. */
export function about(letter: SentLetter, example: string): string {
  return example
    .replaceAll('b+VERPTOKEN@news.example.org', letter.returnPair.bounce)
    .replaceAll('u+UNSUBTOKEN@news.example.org', letter.returnPair.unsubscribe)
    .replaceAll('https://mail.example.org/u/UNSUBTOKEN', letter.link)
    .replaceAll('0123456789abcdef0123456789abcdef@news.example.org', letter.messageId)
    .replaceAll('anna.k@client.example', letter.email)
    .replaceAll('anna.k-confirm@', 'confirm@');
}
