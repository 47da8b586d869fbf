import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { seal, unseal } from '../../config/sealed';
import { Database } from '../../database/database';
import { ConflictError, invalid, NotFoundError } from '../../domain/errors';
import { requireMay, type Viewer } from '../../domain/permissions';
import { problem } from '../../domain/problems';
import type { ProviderName } from '../../domain/providers/provider';
import { PROVIDERS } from '../../domain/providers/providers';
import { tokenHash } from '../../domain/token-hash';
import { audit } from '../audit/audit';

/** Why a call with the right secret is refused. */
export const webhookRefusals = [
  'signature',
  'too_old',
  'replayed',
  'key_unreadable',
  'not_json',
  'not_sns',
  'foreign_host',
  'foreign_topic',
  'not_confirmed',
] as const;
export type WebhookRefusal = (typeof webhookRefusals)[number];

/** A URL by which a provider reports; the secret in it is known only when it is made. */
export interface WebhookView {
  id: number;
  provider: ProviderName;
  createdAt: Date;
  /** Whether there is a key by which calls have to be signed. */
  hasSigningKey: boolean;
  topicArn: string | null;
  lastUsedAt: Date | null;
  refusal: WebhookRefusal | null;
  refusedAt: Date | null;
}

/** What a call came in by. */
export interface Webhook {
  id: number;
  provider: ProviderName;
  signingKey: Buffer | null;
  topicArn: string | null;
}

/** For each provider; as many as it takes to change one for another, and for several accounts there. */
const MAX_PER_PROVIDER = 10;
const VIEW = `SELECT id, provider, created_at, signing_key IS NOT NULL AS has_signing_key, topic_arn, last_used_at,
  refusal, refused_at FROM webhook_secrets`;
const SECRET = /^[\w-]{43}$/;

/** The URLs by which mail providers report: 32 random bytes in each, of which the database has the SHA-256. */
@Injectable()
export class WebhookSecrets {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Pick<Config, 'publicUrl' | 'secretKey'>,
  ) {}

  list(viewer: Viewer): Promise<WebhookView[]> {
    requireMay(viewer, 'inbound.webhooks');
    return this.database.rows<WebhookView>(`${VIEW} ORDER BY id DESC`);
  }

  /** @throws NotFoundError */
  async get(viewer: Viewer, id: number): Promise<WebhookView> {
    requireMay(viewer, 'inbound.webhooks');
    const found = await this.database.first<WebhookView>(`${VIEW} WHERE id = $1`, [id]);
    if (!found) throw new NotFoundError('Webhook', id);
    return found;
  }

  /** @throws ValidationError, ConflictError WEBHOOKS_FULL */
  async create(viewer: Viewer, provider: ProviderName, signingKey = ''): Promise<WebhookView & { url: string }> {
    requireMay(viewer, 'inbound.webhooks');
    checkKey(provider, signingKey);
    const secret = randomBytes(32).toString('base64url');
    const row = await this.database.transaction(async (tx) => {
      const added = await tx.first<{ id: number }>(
        `INSERT INTO webhook_secrets (provider, secret_hash) SELECT $1, $2
          WHERE (SELECT count(*) FROM webhook_secrets WHERE provider = $1) < ${MAX_PER_PROVIDER} RETURNING id`,
        [provider, tokenHash(secret)],
      );
      if (!added)
        throw new ConflictError('WEBHOOKS_FULL', `A provider has at most ${MAX_PER_PROVIDER} URLs: delete another.`);
      if (signingKey !== '') await this.setKey(tx, added.id, signingKey);
      await audit(tx, viewer, 'inbound_webhook.create', { type: 'inbound_webhook', id: added.id }, { name: provider });
      return tx.first<WebhookView>(`${VIEW} WHERE id = $1`, [added.id]);
    });
    return { ...row!, url: `${this.config.publicUrl}/api/v1/inbound/${provider}/${secret}` };
  }

  /** Sets what the provider signs with; '' removes it. @throws NotFoundError, ValidationError */
  async change(viewer: Viewer, id: number, signingKey: string): Promise<WebhookView> {
    requireMay(viewer, 'inbound.webhooks');
    return this.database.transaction(async (tx) => {
      const found = await tx.first<{ provider: ProviderName }>(
        'SELECT provider FROM webhook_secrets WHERE id = $1 FOR UPDATE',
        [id],
      );
      if (!found) throw new NotFoundError('Webhook', id);
      checkKey(found.provider, signingKey);
      await this.setKey(tx, id, signingKey);
      const about = { type: 'inbound_webhook', id } as const;
      await audit(tx, viewer, 'inbound_webhook.change', about, { name: found.provider });
      return (await tx.first<WebhookView>(`${VIEW} WHERE id = $1`, [id]))!;
    });
  }

  /** Nothing comes in by its URL any more. @throws NotFoundError */
  async delete(viewer: Viewer, id: number): Promise<void> {
    requireMay(viewer, 'inbound.webhooks');
    await this.database.transaction(async (tx) => {
      const gone = await tx.first<{ provider: string }>(
        'DELETE FROM webhook_secrets WHERE id = $1 RETURNING provider',
        [id],
      );
      if (!gone) throw new NotFoundError('Webhook', id);
      const about = { type: 'inbound_webhook', id } as const;
      await audit(tx, viewer, 'inbound_webhook.delete', about, { name: gone.provider });
    });
  }

  /** The webhook of a secret; null for a wrong one. Compares hashes, each in the same time. */
  async find(provider: ProviderName, secret: string): Promise<Webhook | null> {
    if (!SECRET.test(secret)) return null;
    const hash = tokenHash(secret);
    const all = await this.database.rows<Webhook & { secretHash: Buffer }>(
      'SELECT id, provider, signing_key, topic_arn, secret_hash FROM webhook_secrets WHERE provider = $1',
      [provider],
    );
    return all.filter(({ secretHash }) => timingSafeEqual(secretHash, hash))[0] ?? null;
  }

  /** What the provider signs with; null if it can't be read, as after a change of SECRET_KEY. */
  keyOf({ id, signingKey }: Webhook): string | null {
    return signingKey && unseal(this.config.secretKey, 'webhook-key', signingKey, String(id));
  }

  /** Keeps the first topic that was confirmed. @returns whether this is it */
  async pinTopic(id: number, topicArn: string): Promise<boolean> {
    const sql = `UPDATE webhook_secrets SET topic_arn = $2 WHERE id = $1 AND coalesce(topic_arn, $2) = $2`;
    return (await this.database.affected(sql, [id, topicArn])) > 0;
  }

  /** Notes a use, at most once a minute, and the first one after a refusal. */
  async used(id: number): Promise<void> {
    await this.database.affected(
      `UPDATE webhook_secrets SET last_used_at = app_now()
        WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < app_now() - interval '1 minute'
                           OR last_used_at <= refused_at)`,
      [id],
    );
  }

  /** Notes a refusal for those who set it up, at most every ten seconds. */
  async refused(id: number, refusal: WebhookRefusal): Promise<void> {
    await this.database.affected(
      `UPDATE webhook_secrets SET refusal = $2, refused_at = app_now()
        WHERE id = $1 AND (refused_at IS NULL OR refusal <> $2 OR refused_at < app_now() - interval '10 seconds')`,
      [id, refusal],
    );
  }

  private setKey(tx: Pick<Database, 'affected'>, id: number, key: string): Promise<number> {
    const sealed = key === '' ? null : seal(this.config.secretKey, 'webhook-key', key.trim(), String(id));
    return tx.affected('UPDATE webhook_secrets SET signing_key = $2 WHERE id = $1', [id, sealed]);
  }
}

function checkKey(provider: ProviderName, key: string): void {
  const { signature } = PROVIDERS[provider];
  if (key === '' || (typeof signature === 'object' && signature.isKey(key))) return;
  throw invalid('signingKey', problem('unusable', { fault: 'signing_key' }));
}
