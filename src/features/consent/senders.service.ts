import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Sql } from '../../database/database';
import { actAs, requireVersion, sameContent, type Versioned } from '../../database/versions';
import { parseEmailAddress, singleLineProblem } from '../../domain/email-address';
import { ValidationError } from '../../domain/errors';
import { brandProblems } from '../../domain/letter-document/brand';
import { type Brand, DEFAULT_BRAND, isFont } from '../../domain/letter-document/theme';
import { parseMailbox } from '../../domain/mailbox';
import type { Viewer } from '../../domain/permissions';
import { audit } from '../audit/audit';
import { at, problem } from '../../domain/problems';

/** What a user's letters say about their sender. The address is the account's. */
export interface Sender {
  /** Empty: the account's name. */
  name: string;
  /** Where answers go; empty: to the account's address. */
  replyTo: string;
  /** Of one or several lines; empty: SENDER_ADDRESS. */
  postalAddress: string;
  /** Why people get the letters, in the standard footer; empty: a standard sentence. */
  unsubscribeText: string;
  /** What letters of blocks look like; each empty: as everybody's do. The logo is a picture as documents have them. */
  logo: string;
  /** Of buttons and links, `#rrggbb`. */
  accent: string;
  /** Around the letter. */
  background: string;
  font: string;
}

const NOTHING: Sender = {
  name: '',
  replyTo: '',
  postalAddress: '',
  unsubscribeText: '',
  logo: '',
  accent: '',
  background: '',
  font: '',
};
const MAX = { name: 200, postalAddress: 500, unsubscribeText: 500 };
/** These would end the name in `Name <address>`. */
const NO_NAME = /["<>]/;
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f]/;

@Injectable()
export class SendersService {
  constructor(
    private readonly database: Database,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async get(viewer: Pick<Viewer, 'userId'>, sql: Sql = this.database): Promise<Sender & Versioned> {
    const row = await sql.first<Sender & Versioned>(
      `SELECT name, reply_to, postal_address, unsubscribe_text, logo, accent, background, font, version, updated_by, updated_at FROM senders
        WHERE owner_id = $1`,
      [viewer.userId],
    );
    return row ?? { ...NOTHING, version: 0, updatedBy: null, updatedAt: new Date(0) };
  }

  /**
   * @param change its version: the one that the caller began with; 0 if nothing was entered before
   * @throws ValidationError naming every field that is wrong
   * @throws ConflictError CHANGED_MEANWHILE
   */
  async update(
    viewer: Viewer,
    { version, ...change }: Partial<Sender> & { version?: number },
  ): Promise<Sender & Versioned> {
    return this.database.transaction(async (tx) => {
      // There may be no row of the sender yet; the owner's is always there.
      await tx.rows('SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE', [viewer.userId]);
      const current = await this.get(viewer, tx);
      const { updatedAt: _at, updatedBy: _by, version: _version, ...content } = current;
      const sender = checked({ ...content, ...trimmed(change) });
      await requireVersion(tx, current, version, () => sameContent(sender, content));
      await audit(tx, viewer, 'sender.change');
      await actAs(tx, viewer);
      await tx.affected(
        `INSERT INTO senders (owner_id, name, reply_to, postal_address, unsubscribe_text, logo, accent, background, font,
           updated_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $1)
         ON CONFLICT (owner_id) DO UPDATE SET name = $2, reply_to = $3, postal_address = $4, unsubscribe_text = $5,
           logo = $6, accent = $7, background = $8, font = $9, updated_at = app_now()`,
        [
          ...[viewer.userId, sender.name, sender.replyTo, sender.postalAddress, sender.unsubscribeText],
          ...[sender.logo, sender.accent, sender.background, sender.font],
        ],
      );
      return this.get(viewer, tx);
    });
  }

  /** Which of these owners have entered a postal address. */
  async withAddress(sql: Sql, ownerIds: number[]): Promise<Set<number>> {
    const rows = await sql.rows<{ ownerId: number }>(
      `SELECT owner_id FROM senders WHERE owner_id = ANY($1::bigint[]) AND postal_address <> ''`,
      [ownerIds],
    );
    return new Set(rows.map(({ ownerId }) => ownerId));
  }

  /** What an owner's letters of blocks look like. */
  async brand(ownerId: number): Promise<Brand> {
    const { logo, accent, background, font } = await this.get({ userId: ownerId });
    return {
      logo: logo || DEFAULT_BRAND.logo,
      accent: accent || DEFAULT_BRAND.accent,
      background: background || DEFAULT_BRAND.background,
      font: isFont(font) ? font : DEFAULT_BRAND.font,
    };
  }

  /** What letters say about their sender, with the settings where the user entered nothing. */
  async shown(
    viewer: Pick<Viewer, 'userId'>,
    sql: Sql = this.database,
  ): Promise<{ name: string; email: string; postalAddress: string; unsubscribeText: string }> {
    const sender = await this.get(viewer, sql);
    const account = parseMailbox(this.config.mailFrom);
    return {
      name: sender.name || account?.name || '',
      email: account?.address ?? '',
      postalAddress: oneLine(sender.postalAddress || this.config.senderAddress),
      unsubscribeText: sender.unsubscribeText,
    };
  }
}

/** A postal address as letters show it. */
export const oneLine = (address: string): string =>
  address
    .split('\n')
    .map((line) => line.trim().replace(/,$/, ''))
    .filter((line) => line !== '')
    .join(', ');

/** @throws ValidationError naming every field that is wrong */
function checked(sender: Sender): Sender {
  const { name, replyTo, postalAddress, unsubscribeText } = sender;
  const reply = replyTo === '' ? { ok: true as const, email: '' } : parseEmailAddress(replyTo);
  const errors = [
    ...at(
      'name',
      NO_NAME.test(name) ? problem('unusable', { fault: 'sender_name' }) : singleLineProblem(name, MAX.name),
    ),
    ...at('replyTo', reply.ok ? null : reply.problem),
    ...at('postalAddress', textProblem(postalAddress, MAX.postalAddress)),
    ...at('unsubscribeText', textProblem(unsubscribeText, MAX.unsubscribeText)),
    ...brandProblems(sender),
  ];
  if (errors.length > 0 || !reply.ok) throw new ValidationError(errors);
  return {
    ...sender,
    replyTo: reply.email,
    accent: sender.accent.toLowerCase(),
    background: sender.background.toLowerCase(),
  };
}

const trimmed = (change: Partial<Sender>): Partial<Sender> =>
  Object.fromEntries(
    Object.entries(change)
      .filter(([, value]) => value !== undefined)
      .map(([field, value]) => [field, value.replace(/\r\n?/g, '\n').trim()]),
  );

function textProblem(text: string, max: number) {
  if (CONTROLS.test(text)) return problem('controls');
  return text.length > max ? problem('too_long', { max }) : null;
}
