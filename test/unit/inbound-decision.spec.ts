import { decide, type InboundEnvelope, type Match, unwrap } from '../../src/domain/inbound-decision';
import { exampleLetter, examples, type InboundCase } from '../support/inbound-cases';

const { standIns, cases } = examples;

/** What a service finds by the clues in the letter. */
function matchOf(of: InboundCase): Match | null {
  const by =
    of.matchBy === 'verp' || of.matchBy === 'message-id' || of.matchBy === 'unsubscribe-token' ? of.matchBy : null;
  // A person's answer, a report that it is no spam and spam to our address name our letter, too.
  const isNamed = by !== null || ['human', 'not_spam', 'not_a_report'].includes(of.reason);
  return isNamed ? { by: by ?? 'message-id', deliveryId: 7, email: of.address } : null;
}

const envelopeOf = (of: InboundCase): InboundEnvelope => ({
  from: of.envelopeFrom,
  toKind: of.envelopeTo === standIns.verp ? 'bounce' : of.envelopeTo === standIns.unsub ? 'unsubscribe' : null,
  isFeedbackAddress: of.envelopeTo === standIns.fbl,
  sender: of.envelopeTo === standIns.verp ? standIns.verp : standIns.sender,
});

describe('the examples of incoming letters', () => {
  test.each(cases)('$file', async (of) => {
    const verdict = decide(await unwrap(exampleLetter(of.file)), envelopeOf(of), matchOf(of));
    const { kind, enhancedCode, reason, blame, match, address } = verdict;
    expect({ kind, enhancedCode, reason, blame, matchBy: match?.by ?? null }).toEqual({
      kind: of.kind,
      enhancedCode: of.enhanced,
      reason: of.reason,
      blame: of.blame,
      matchBy: of.matchBy,
    });
    // Nothing in a summary names a client.
    if (of.reason !== 'dmarc_report') expect(address).toBe(of.address);
  });
});
