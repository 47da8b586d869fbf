import type { Sql } from '../../database/database';
import { type ReturnToken, tokenTextsIn } from '../../domain/bounce-address';
import { cluesIn } from '../../domain/inbound-clues';
import type { Match } from '../../domain/inbound-decision';
import type { ReadLetter } from '../../domain/read-letter';
import { addressForm } from '../../domain/same-address';
import type { LinkKeys } from '../consent/link-keys.service';

/** The letter of ours that an incoming one is about, and whose it is. */
export interface OwnLetter extends Match {
  ownerId: number;
  mailingId: number;
  /**
   * A token that we signed says so, or a provider whose webhook was set up; not only a Message-ID, which everybody knows
   * who may see the owner's letters.
   */
  isSigned: boolean;
}

type Found = Omit<OwnLetter, 'by' | 'isSigned'>;

const FOUND = `SELECT d.id AS delivery_id, d.email, r.owner_id, r.mailing_id
  FROM deliveries d JOIN runs r ON r.id = d.run_id`;
const MESSAGE_ID = /(?<![0-9a-f])[0-9a-f]{32}(?=@)/g;
const LINK = /\/u\/([\w-]{30,100})/g;
const ADDRESS = /[^\s\0<>()[\]{}"',;:=]{1,64}@[a-z0-9.-]{1,255}/gi;
/** So many clues of each kind are looked at, and so many letters to the addresses that are named. */
const CLUES = 20;
const ADDRESSES = 50;
const LETTERS = 5_000;
/** A letter whose client no longer has the address is looked for in so many runs, and for so many of the addresses. */
const RUNS = 500;
const ADDRESSES_OF_RUNS = 5;

/**
 * SQL, to be tried one after the other: the last letters of the clients who have one of the addresses $1; then the letters
 * to these addresses in the last runs, because a client may have been deleted since, or have another address. OFFSET makes
 * the second one look-up in an index for each run and address.
 */
export const LETTERS_TO = [
  `SELECT o.* FROM clients c JOIN deliveries o ON o.client_id = c.id
    WHERE lower(c.email) = ANY($1::text[]) ORDER BY o.run_id DESC LIMIT ${LETTERS}`,
  `SELECT o.* FROM (SELECT id FROM runs WHERE status <> 'missed' ORDER BY id DESC LIMIT ${RUNS}) r
    CROSS JOIN unnest(($1::text[])[1:${ADDRESSES_OF_RUNS}]) AS said(address),
    LATERAL (SELECT * FROM deliveries o WHERE o.run_id = r.id AND lower(o.email) = said.address OFFSET 0) o`,
] as const;

/**
 * Finds the letter of ours by the address to which the incoming one came, else by what it says: our Message-ID, the
 * link to unsubscribe, or the envelope sender of a letter inside of it.
 * @param token what the address says, if it is one that we gave out
 */
export async function matchLetter(
  sql: Sql,
  keys: LinkKeys,
  letters: ReadLetter[],
  token: ReturnToken | null,
): Promise<OwnLetter | null> {
  if (token) return byToken(sql, token);
  const clues = cluesIn(letters);
  const named = await byMessageId(sql, clues);
  const signed = (await byLink(sql, keys, clues)) ?? (await byAddress(sql, keys, clues));
  return named ? { ...named, isSigned: signed?.deliveryId === named.deliveryId } : signed;
}

/**
 * A Message-ID is a digest of the run's random value and the client's id, so it is compared with those of the letters
 * that went lately to an address that is named here.
 */
export async function byMessageId(sql: Sql, clues: string): Promise<OwnLetter | null> {
  const ids = firstOf(clues.toLowerCase().matchAll(MESSAGE_ID), CLUES, ([id]) => id);
  const addresses = firstOf(clues.matchAll(ADDRESS), ADDRESSES, ([address]) => addressForm(address));
  if (ids.length === 0 || addresses.length === 0) return null;
  for (const letters of LETTERS_TO) {
    const found = await sql.first<Found>(
      `SELECT d.id AS delivery_id, d.email, r.owner_id, r.mailing_id FROM (${letters}) d JOIN runs r ON r.id = d.run_id
        WHERE left(encode(sha256(convert_to(r.letter_key::text || ':' || d.client_id, 'UTF8')), 'hex'), 32)
              = ANY($2::text[])
        ORDER BY d.id DESC LIMIT 1`,
      [addresses, ids],
    );
    if (found) return { by: 'message-id', isSigned: false, ...found };
  }
  return null;
}

async function byLink(sql: Sql, keys: LinkKeys, clues: string): Promise<OwnLetter | null> {
  for (const text of firstOf(clues.matchAll(LINK), CLUES, ([, token = '']) => token)) {
    const token = await keys.tokenOf(text);
    if (token?.kind !== 'unsubscribe') continue;
    const found = await sql.first<Found>(`${FOUND} WHERE d.id = $1 AND address_hash(d.email) = $2`, [
      token.deliveryId,
      token.addressHash,
    ]);
    if (found) return { by: 'unsubscribe-token', isSigned: true, ...found };
  }
  return null;
}

export async function byToken(sql: Sql, token: ReturnToken): Promise<OwnLetter | null> {
  if (token.kind === 'proof') return null;
  const { kind, deliveryId } = token;
  const found = await sql.first<Found>(`${FOUND} WHERE d.id = $1`, [deliveryId]);
  return found ? { by: kind === 'bounce' ? 'verp' : 'unsubscribe-token', isSigned: true, ...found } : null;
}

async function byAddress(sql: Sql, keys: LinkKeys, clues: string): Promise<OwnLetter | null> {
  for (const text of new Set(tokenTextsIn(clues))) {
    const token = await keys.returnTokenOf(text);
    const found = token && (await byToken(sql, token));
    if (found) return found;
  }
  return null;
}

/** The first different ones of what is found. */
function firstOf(
  matches: Iterable<RegExpMatchArray>,
  max: number,
  read: (match: RegExpMatchArray) => string,
): string[] {
  const found = new Set<string>();
  for (const match of matches) {
    const text = read(match);
    if (text !== '') found.add(text);
    if (found.size >= max) break;
  }
  return [...found];
}
