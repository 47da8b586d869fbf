import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import {
  addressHash,
  type AddressToken,
  keyIdOf,
  type LinkKey,
  makeToken,
  readToken,
  tokenHead,
} from '../../domain/address-token';
import { emailKey } from '../../domain/email-address';

interface Secrets {
  /** The newest signs. */
  keys: LinkKey[];
  pepper: Buffer;
  readAt: number;
}

const FRESH_MS = 60_000;
const AGAIN_MS = 1_000;

/** Signs and reads the links of letters, with keys that stand in the database and belong to its backups. */
@Injectable()
export class LinkKeys {
  private secrets: Promise<Secrets> | undefined;

  constructor(private readonly database: Database) {}

  /** What writes the tokens of a mailing's letters. */
  async signer(
    of: Pick<AddressToken, 'kind' | 'ownerId' | 'mailingId'>,
  ): Promise<(deliveryId: number, email: string) => string> {
    const { keys, pepper } = await this.read();
    const key = keys[0];
    if (!key) throw new Error('no key signs links: all are retired');
    const head = tokenHead(key, of);
    return (deliveryId, email) => makeToken(key, head, deliveryId, addressHash(pepper, email.toLowerCase()));
  }

  /** Null for anything that was not signed here, and for what a retired key has signed. */
  async tokenOf(text: string): Promise<AddressToken | null> {
    const { keys, readAt } = await this.read();
    const isNewer = keyIdOf(text) === (keys[0]?.id ?? 0) + 1;
    // Another process may have made a key meanwhile; whoever sends nonsense has it looked up once a second.
    if (isNewer && performance.now() - readAt > AGAIN_MS) this.secrets = undefined;
    return readToken(isNewer ? (await this.read()).keys : keys, text);
  }

  /** What stands for an address in links and in the list of who must not get mail; null if it is no address. */
  async hashOf(email: string): Promise<Buffer | null> {
    const key = emailKey(email);
    return key === null ? null : addressHash((await this.read()).pepper, key);
  }

  /** A new key signs from now on; the older ones stay good, for the letters that are out. @returns its number */
  async rotate(): Promise<number> {
    const row = await this.database.first<{ id: number }>(
      `INSERT INTO link_keys (id, secret)
       SELECT max(id) + 1, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) FROM link_keys RETURNING id`,
    );
    this.secrets = undefined;
    return row?.id ?? 0;
  }

  private async read(): Promise<Secrets> {
    const known = await this.secrets?.catch(() => undefined);
    if (known && performance.now() - known.readAt < FRESH_MS) return known;
    this.secrets = this.load();
    // What was read before still does while Postgres is away.
    return known ? this.secrets.catch(() => ((this.secrets = Promise.resolve(known)), known)) : this.secrets;
  }

  private async load(): Promise<Secrets> {
    const keys = await this.database.rows<LinkKey>(
      'SELECT id, secret FROM link_keys WHERE retired_at IS NULL ORDER BY id DESC',
    );
    const pepper = await this.database.first<{ secret: Buffer }>('SELECT secret FROM address_pepper');
    if (!pepper) throw new Error('the database has no pepper for addresses');
    return { keys, pepper: pepper.secret, readAt: performance.now() };
  }
}
