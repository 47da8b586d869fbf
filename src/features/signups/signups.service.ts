import { setTimeout as sleep } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { Database, type Sql, type Transaction } from '../../database/database';
import { DomainError, NotFoundError, ValidationError } from '../../domain/errors';
import type { FieldValues } from '../../domain/client-fields';
import { type CheckedSignup, checkSignup, type KnownOf, type SignupInput, signupStep } from '../../domain/signup-form';
import type { SuppressionReason } from '../../domain/suppression';
import { Limits } from '../../queue/limits';
import { type Actor, audit } from '../audit/audit';
import { holdFields } from '../clients/field-definitions';
import { NewClients } from '../clients/new-clients';
import { addUnconfirmed, takeSignedUp } from '../clients/signed-up';
import { liftUnsubscribed } from '../consent/suppressions';
import { Notices } from '../notices/notices.service';
import { provedSignup } from '../notices/signup-notices';
import { openForm, type PublicForm } from './public-form';
import { SignupGate } from './signup-gate.service';

/** For how long a sign-up waits to be confirmed. */
export const SIGNUP_DAYS = 7;

/** Who sends a form: the caller's address, and the site whose page it is. */
export interface Sender {
  ip: string;
  origin: string | null;
}

/** What somebody sends; `proof` is ALTCHA's payload, empty if there is none. `trap` is a field that no person sees. */
export type Sent = SignupInput & { proof: string; trap: string };

/** A sign-up to be confirmed, as the page behind the letter's link shows it. */
export interface Waiting {
  form: Pick<PublicForm, 'language' | 'title' | 'thanks' | 'consentText' | 'redirectUrl'>;
  email: string;
  topics: string[];
  isConfirmed: boolean;
}

/** The person who signed up. Their IP address stands with the sign-up alone, which is deleted when they are erased. */
const PERSON: Actor = { userId: 0 };

interface Signup extends Omit<CheckedSignup, 'topics'> {
  id: number;
  formId: number;
  ownerId: number;
  topicIds: number[];
  confirmedAt: Date | null;
}

/**
 * What people do by the forms of owners. Whatever is known of an address, the answer to a sign-up is the same, and
 * takes as long: who is somebody's client is nobody else's business. What is kept of a client changes only when the
 * address is proved.
 */
@Injectable()
export class SignupsService {
  constructor(
    private readonly database: Database,
    private readonly gate: SignupGate,
    private readonly notices: Notices,
    private readonly newClients: NewClients,
    private readonly limits: Limits,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws NotFoundError, which says nothing but that */
  async open(token: string): Promise<PublicForm> {
    const form = await openForm(this.database, token);
    if (!form) throw new NotFoundError('Form', 'with this address');
    return form;
  }

  /** @throws NotFoundError, ValidationError, DomainError RATE_LIMITED (by the caller alone), LIMITS_UNAVAILABLE */
  async signUp(token: string, sent: Sent, sender: Sender): Promise<PublicForm> {
    const form = await this.open(token);
    const checked = checkSignup(form.asked, sent);
    if (!checked.ok) throw new ValidationError(checked.errors);
    await this.gate.admit(token, sent.proof, sender.ip);
    await this.evenly(async () => {
      if (sent.trap !== '' || !(await this.gate.mayWrite(form.id, checked.signup.email))) return;
      const noticeId = await this.database.transaction((tx) => this.take(tx, form, checked.signup, sender));
      if (noticeId !== null) await this.notices.enqueue(noticeId);
    });
    return form;
  }

  /** @returns the id of the notice that was written, if one was */
  private async take(tx: Transaction, form: PublicForm, signup: CheckedSignup, sender: Sender): Promise<number | null> {
    const { ownerId, language, title, consentText } = form;
    const stepNow = async () => signupStep(await knownOf(tx, ownerId, signup.email), form.doubleOptIn);
    let step = await stepNow();
    const stored = await store(tx, form, signup, sender);
    if (step === 'keep_silent') return null;
    // All who add clients hold the fields first: in another order they would wait for each other.
    if (step === 'take') await holdFields(tx, ownerId);
    const added = await addUnconfirmed(tx, ownerId, signup.email);
    if (step === 'take' && added !== null) {
      await this.confirmed(tx, stored, sender.ip, added);
      return null;
    }
    if (step === 'take') {
      // Somebody else has added the address meanwhile. It is not new any more, so its person is asked.
      step = await stepNow();
      if (step === 'keep_silent') return null;
      if (step === 'take') step = 'confirm';
    }
    const payload = { signupId: stored.id, language, title, consentText, isKnown: step === 'choose' };
    return this.notices.write(tx, { kind: 'signup', userId: ownerId, email: signup.email, payload });
  }

  /** What the link in a letter stands for. Changes nothing. @throws DomainError LINK_INVALID, RATE_LIMITED */
  async look(link: string, ip: string): Promise<Waiting> {
    await this.limits.take('linkAddress', ip);
    return waiting(this.database, await proved(this.database, link));
  }

  /**
   * The person says that the address is theirs and what they want; harmless to repeat.
   * @throws DomainError LINK_INVALID, RATE_LIMITED
   */
  async confirm(link: string, ip: string): Promise<Waiting> {
    await this.limits.take('linkAddress', ip);
    return this.database.transaction(async (tx) => {
      const id = await proved(tx, link);
      const signup = await tx.first<Signup>('SELECT * FROM signups WHERE id = $1 FOR UPDATE', [id]);
      // Expired ones are refused here.
      const found = await waiting(tx, id);
      if (signup && !found.isConfirmed) await this.confirmed(tx, signup, ip);
      return { ...found, isConfirmed: true };
    });
  }

  /** @param added the id of a client that was added for this sign-up just now, by a form that asks for no proof */
  private async confirmed(tx: Transaction, signup: Signup, ip: string, added: number | null = null): Promise<void> {
    const { id, formId, ownerId, email, fullName, fields, topicIds } = signup;
    const form = await tx.first<{ name: string; tagIds: number[] }>(
      `SELECT f.name, ARRAY(SELECT ft.tag_id FROM signup_form_tags ft WHERE ft.form_id = f.id AND NOT ft.is_topic)
          AS tag_ids FROM signup_forms f WHERE f.id = $1`,
      [formId],
    );
    const tagIds = [...topicIds, ...(form?.tagIds ?? [])].map(Number);
    const clientId = await takeSignedUp(tx, this.newClients, { ownerId, email, fullName, fields, tagIds }, added);
    await tx.affected('UPDATE signups SET confirmed_at = app_now(), confirmed_ip = $2, client_id = $3 WHERE id = $1', [
      id,
      ip,
      clientId,
    ]);
    const client = { type: 'client' as const, id: clientId };
    await audit(tx, PERSON, 'signup.confirm', client, { name: form?.name ?? '' });
    // Without a proof nothing is lifted, not even what was added in this very moment.
    if (added !== null) return;
    const hash = await tx.first<{ hash: Buffer }>('SELECT address_hash($1) AS hash', [email]);
    const lifted = await liftUnsubscribed(tx, ownerId, hash!.hash);
    if (lifted > 0)
      await audit(tx, PERSON, 'suppression.lift', client, { reason: 'unsubscribed', name: form?.name ?? '' });
  }

  /** Answers only after AUTH_ANSWER_MS, so that what was done does not show in the time. */
  private async evenly(work: () => Promise<void>): Promise<void> {
    const [outcome] = await Promise.allSettled([work(), sleep(this.config.authAnswerMs)]);
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}

async function knownOf(tx: Transaction, ownerId: number, email: string): Promise<KnownOf> {
  const client = await tx.first<{ unconfirmedSince: Date | null }>(
    'SELECT unconfirmed_since FROM clients WHERE owner_id = $1 AND lower(email) = lower($2 COLLATE "C")',
    [ownerId, email],
  );
  const suppressed = await tx.rows<{ reason: SuppressionReason }>(
    `SELECT reason FROM suppressions
      WHERE (owner_id = $1 OR owner_id IS NULL) AND mailing_id IS NULL AND address_hash = address_hash($2)
        AND lifted_at IS NULL AND (expires_at IS NULL OR expires_at > app_now())`,
    [ownerId, email],
  );
  return {
    client: !client ? 'none' : client.unconfirmedSince === null ? 'confirmed' : 'unconfirmed',
    suppressed: suppressed.map(({ reason }) => reason),
  };
}

async function store(
  tx: Transaction,
  form: PublicForm,
  { email, fullName, fields, topics }: CheckedSignup,
  { ip, origin }: Sender,
): Promise<Signup> {
  await tx.affected('UPDATE signup_forms SET came_in = came_in + 1 WHERE id = $1', [form.id]);
  const stored = await tx.first<Signup>(
    `INSERT INTO signups (form_id, owner_id, email, full_name, fields, topic_ids, topics, consent_text, ip, origin,
       expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, app_now() + interval '${SIGNUP_DAYS} days') RETURNING *`,
    [
      form.id,
      form.ownerId,
      email,
      fullName,
      JSON.stringify(fields),
      topics.map(({ id }) => id),
      topics.map(({ name }) => name),
      form.consentText,
      ip,
      origin,
    ],
  );
  if (!stored) throw new Error('an insert returned no row');
  return stored;
}

/** The sign-up that this link confirms. @throws DomainError LINK_INVALID */
async function proved(sql: Sql, link: string): Promise<number> {
  const id = await provedSignup(sql, link);
  if (id === null) throw linkInvalid();
  return id;
}

async function waiting(sql: Sql, id: number): Promise<Waiting> {
  const row = await sql.first<
    Waiting['form'] & { email: string; topics: string[]; fields: FieldValues; isConfirmed: boolean }
  >(
    `SELECT s.email, s.topics, s.consent_text, s.confirmed_at IS NOT NULL AS is_confirmed, f.language, f.title, f.thanks,
            f.redirect_url
       FROM signups s JOIN signup_forms f ON f.id = s.form_id
      WHERE s.id = $1 AND (s.confirmed_at IS NOT NULL OR s.expires_at > app_now())`,
    [id],
  );
  if (!row) throw linkInvalid();
  const { email, topics, isConfirmed, ...form } = row;
  return { form, email, topics, isConfirmed };
}

const linkInvalid = () =>
  new DomainError('invalid', 'LINK_INVALID', 'This link is too old, or is not complete. Sign up once more.');
