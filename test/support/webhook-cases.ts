import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InboundKind, InboundReason, MatchWay } from '../../src/domain/inbound-decision';
import type { ProviderName } from '../../src/domain/providers/provider';

/** What a provider sends, and what comes of each report in it. */
export interface WebhookCase {
  title: string;
  body: unknown;
  expected: {
    kind: InboundKind;
    reason: InboundReason;
    matchBy: MatchWay | null;
    blame: 'recipient' | 'sender' | null;
    enhancedCode: string | null;
    address: string;
    suppress: string | null;
  }[];
}

/** The examples of a provider: about a letter to `anna.k@client.example`, as `about` replaces it. */
export const webhookCases = (provider: ProviderName): WebhookCase[] =>
  JSON.parse(readFileSync(join(__dirname, `../fixtures/webhooks/${provider}.json`), 'utf8')) as WebhookCase[];
