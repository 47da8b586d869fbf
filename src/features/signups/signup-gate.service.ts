import { Inject, Injectable } from '@nestjs/common';
import { createChallenge, verifySolution } from 'altcha-lib';
import type { Challenge, Payload } from 'altcha-lib/types';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { emailKey } from '../../domain/email-address';
import { Repeated } from '../../logging/repeated';
import { Limits } from '../../queue/limits';

/** A caller tries half as many numbers on average: some tenths of a second in a browser. */
const NUMBERS = 50_000;
/** How long a challenge may be solved; LIMITS.signupProof remembers for as long which were. */
const LIFE_MS = 2 * 3_600_000;
const PROOF_MAX = 2_000;

/**
 * Keeps the public forms from being used to write letters to strangers. Everything is counted in Redis: without it
 * nothing is taken, whoever asks, and the caller is told when to try again.
 */
@Injectable()
export class SignupGate {
  private readonly said: Repeated;

  constructor(
    private readonly limits: Limits,
    @Inject(CONFIG) private readonly config: Config,
    logger: PinoLogger,
  ) {
    this.said = new Repeated(logger);
  }

  /** A proof of work to be done for one sign-up by this form, in the form of ALTCHA's widget. */
  challenge(formToken: string): Promise<Challenge> {
    const expires = new Date(Date.now() + LIFE_MS);
    return createChallenge({ hmacKey: this.key, maxnumber: NUMBERS, expires, params: { form: formToken } });
  }

  /**
   * Counts a sign-up of this caller; without a good proof of work far fewer are taken.
   * @throws DomainError RATE_LIMITED, LIMITS_UNAVAILABLE
   */
  async admit(formToken: string, proof: string, ip: string): Promise<void> {
    await this.limits.take('signupAddress', ip);
    const challenge = await this.proved(formToken, proof);
    const isProved = challenge !== null && (await this.limits.allows('signupProof', challenge));
    if (!isProved) await this.limits.take('signupPlainAddress', ip);
  }

  /**
   * Whether one more letter may go to this address by this form. The same is counted for every address, whatever is
   * known of it. @throws DomainError LIMITS_UNAVAILABLE
   */
  async mayWrite(formId: number, email: string): Promise<boolean> {
    const address = oneSpelling(emailKey(email) ?? email);
    if (!(await this.limits.allows('signupFormAccount', `${formId}:${address}`))) return false;
    if (!(await this.limits.allows('signupAccount', address))) return false;
    if (await this.limits.allows('signupForm', formId)) return true;
    this.said.warn(
      { event: 'signup.too_many', reason: `form ${formId}`, formId },
      'A form is sent too often: no letters for a while',
    );
    return false;
  }

  /** The challenge that this proof solves, or null. */
  private async proved(formToken: string, proof: string): Promise<string | null> {
    const solution = readProof(proof);
    if (!solution?.salt.includes(`?form=${formToken}&`)) return null;
    return (await verifySolution(solution, this.key)) ? solution.challenge : null;
  }

  private get key(): string {
    return `signup ${this.config.secretKey}`;
  }
}

/** For counting alone: many servers deliver name+anything@… to name@…, and some n.a.me@…, too. */
function oneSpelling(address: string): string {
  const at = address.lastIndexOf('@');
  return address.slice(0, at).replace(/\+.*/s, '').replaceAll('.', '') + address.slice(at);
}

/** Only what our challenges can lead to is given to the library. */
function readProof(proof: string): Payload | null {
  if (proof === '' || proof.length > PROOF_MAX) return null;
  let given: Partial<Record<keyof Payload, unknown>> | null;
  try {
    given = JSON.parse(Buffer.from(proof, 'base64').toString()) as typeof given;
  } catch {
    return null;
  }
  const { algorithm, challenge, number, salt, signature } = given ?? {};
  const isOurs =
    algorithm === 'SHA-256' &&
    typeof challenge === 'string' &&
    typeof salt === 'string' &&
    typeof signature === 'string' &&
    Number.isInteger(number);
  return isOurs ? { algorithm, challenge, number: Number(number), salt, signature } : null;
}
