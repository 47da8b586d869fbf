import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { Database } from '../../database/database';
import { DomainError, ForbiddenError, invalid } from '../../domain/errors';
import { exceededBound, type JsonBounds } from '../../domain/json-bounds';
import { problem } from '../../domain/problems';
import { isProvider, type Json, type Provider, type SignedRequest } from '../../domain/providers/provider';
import { PROVIDERS } from '../../domain/providers/providers';
import { certificateKey, isCertificateUrl, isSignedBy, isSubscribeUrl, snsMessage } from '../../domain/providers/sns';
import { INBOUND_KEPT_BYTES } from '../../domain/read-letter';
import { Repeated } from '../../logging/repeated';
import { SnsClient } from '../../sns/sns-client';
import { InboundLetters, type NewReport } from './inbound-letters.service';
import { useNonce } from './webhook-nonces';
import { type Webhook, type WebhookRefusal, WebhookSecrets } from './webhook-secrets.service';

export const WEBHOOK_MAX_BYTES = 1024 * 1024;
/** A batch is a long list of small objects; the largest one that fits into WEBHOOK_MAX_BYTES is allowed. */
export const WEBHOOK_BOUNDS: JsonBounds = { depth: 16, objects: 10_000, names: 60_000, values: 100_000, digits: 100 };

/** A call with the right secret is refused for this reason. */
class Refused extends Error {
  constructor(readonly refusal: WebhookRefusal) {
    super(refusal);
  }
}

/** Takes what mail providers report by calling a URL of ours. */
@Injectable()
export class ProviderWebhooks {
  private readonly said: Repeated;

  constructor(
    private readonly database: Database,
    private readonly secrets: WebhookSecrets,
    private readonly letters: InboundLetters,
    private readonly sns: SnsClient,
    logger: PinoLogger,
  ) {
    this.said = new Repeated(logger);
  }

  /** Whose URL it is, before anything is read of what it brings; null for a wrong one. */
  async open(provider: string, secret: string): Promise<Webhook | null> {
    return isProvider(provider) ? this.secrets.find(provider, secret) : null;
  }

  /**
   * Keeps the reports of a body; they are committed when this returns, and judged soon. One that comes in again is the
   * same, and what is no report (delivered, opened …) is left out.
   * @returns how many reports it has
   * @throws ForbiddenError if it does not come from the provider, ValidationError if it is too large or no JSON,
   * DomainError `unavailable` if that can't be found out for now: the provider comes again
   */
  async take(webhook: Webhook, headers: SignedRequest['headers'], raw: Buffer): Promise<number> {
    try {
      const taken = await this.takeTrusted(webhook, headers, raw);
      await this.secrets.used(webhook.id);
      return taken;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      await this.secrets.refused(webhook.id, error.refusal);
      this.said.warn(
        { event: 'inbound.webhook_refused', reason: error.refusal, provider: webhook.provider, webhookId: webhook.id },
        'What a mail provider reported was refused',
      );
      throw new ForbiddenError('This was not taken: managers see why among the webhooks.');
    }
  }

  private async takeTrusted(webhook: Webhook, headers: SignedRequest['headers'], raw: Buffer): Promise<number> {
    const provider = PROVIDERS[webhook.provider];
    const outer = parse(raw);
    const body = provider.signature === 'sns' ? await this.bySns(webhook, outer) : outer;
    const { reports, tooLarge } = reportsOf(webhook.provider, provider, body);
    if (typeof provider.signature === 'object' && webhook.signingKey)
      await this.requireSignature(webhook, provider.signature, { headers, raw, body: outer }, reports);
    await this.letters.takeReports(webhook.provider, reports);
    if (tooLarge > 0)
      this.said.warn(
        {
          event: 'inbound.report_left_out',
          reason: 'larger than 256 KB',
          provider: webhook.provider,
          webhookId: webhook.id,
          reports: tooLarge,
        },
        'Some of what a mail provider reported was left out',
      );
    return reports.length;
  }

  private async requireSignature(
    webhook: Webhook,
    signature: Exclude<Provider['signature'], 'sns' | undefined>,
    request: Omit<SignedRequest, 'now'>,
    reports: NewReport[],
  ): Promise<void> {
    const key = this.secrets.keyOf(webhook);
    if (key === null) throw new Refused('key_unreadable');
    const found = signature.check(key, { ...request, now: await this.database.clock() });
    if (found.is !== 'right') throw new Refused(found.is);
    if (found.once === undefined) return;
    const content = sha256(...reports.map(({ digest }) => digest));
    if (!(await useNonce(this.database, sha256(webhook.provider, '\0', found.once), content)))
      throw new Refused('replayed');
  }

  /** What a message of SNS carries; null for one about the subscription. No request leaves before all is checked. */
  private async bySns(webhook: Webhook, body: Json): Promise<Json> {
    const message = snsMessage(body);
    if (!message) throw new Refused('not_sns');
    if (!isCertificateUrl(message.signingCertUrl)) throw new Refused('foreign_host');
    const isSubscription = message.type === 'SubscriptionConfirmation';
    if (isSubscription && !isSubscribeUrl(message.subscribeUrl)) throw new Refused('foreign_host');
    if (webhook.topicArn !== null && webhook.topicArn !== message.topicArn) throw new Refused('foreign_topic');
    if (webhook.topicArn === null && !isSubscription) throw new Refused('not_confirmed');
    const pem = await this.asked(this.sns.certificate(message.signingCertUrl));
    const key = certificateKey(pem, await this.database.clock());
    if (!key || !isSignedBy(key, message)) throw new Refused('signature');
    if (message.type === 'Notification') return isJson(message.message) ? parse(Buffer.from(message.message)) : null;
    if (isSubscription) {
      await this.asked(this.sns.confirm(message.subscribeUrl));
      if (!(await this.secrets.pinTopic(webhook.id, message.topicArn))) throw new Refused('foreign_topic');
    }
    return null;
  }

  private async asked<T>(asking: Promise<T>): Promise<T> {
    try {
      return await asking;
    } catch (error) {
      const reason = (error as Error).message;
      this.said.warn({ event: 'inbound.sns_unreachable', reason }, 'Amazon SNS could not be asked');
      throw new DomainError('unavailable', 'SNS_UNREACHABLE', 'Amazon SNS could not be asked for now.', {
        retryAfterS: 30,
      });
    }
  }
}

/** Notifications of tests are plain words. */
const isJson = (text: string): boolean => /^\s*[{[]/.test(text);

function parse(bytes: Buffer): Json {
  const bound = exceededBound(bytes, WEBHOOK_BOUNDS);
  if (bound !== null) throw invalid('body', problem('too_complex', { bound, max: WEBHOOK_BOUNDS[bound] }));
  try {
    return JSON.parse(bytes.toString()) as Json;
  } catch {
    throw new Refused('not_json');
  }
}

/** One that is too large would come again and again, and with it all others of its batch: it is only counted. */
function reportsOf(name: string, provider: Provider, body: Json): { reports: NewReport[]; tooLarge: number } {
  const reports: NewReport[] = [];
  let tooLarge = 0;
  for (const event of provider.events(body)) {
    const report = provider.report(event);
    if (!report) continue;
    const raw = kept(event);
    if (raw.length > INBOUND_KEPT_BYTES) tooLarge++;
    else {
      const digest = sha256('webhook\0', name, '\0', report.id || raw);
      reports.push({ digest, raw, subject: `${report.name}: ${report.address}` });
    }
  }
  return { reports, tooLarge };
}

const LONGEST = 8_000;

/** An event in JSON. If it is too large, texts that nothing is read from are cut, so that it has room. */
function kept(event: Json): Buffer {
  const whole = Buffer.from(JSON.stringify(event));
  if (whole.length <= INBOUND_KEPT_BYTES) return whole;
  const cut = (_: string, value: unknown) =>
    typeof value === 'string' && value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  return Buffer.from(JSON.stringify(event, cut));
}

function sha256(...pieces: (string | Buffer)[]): Buffer {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}
