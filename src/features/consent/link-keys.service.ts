import { Injectable } from '@nestjs/common';
import { Database } from '../../database/database';
import {
  addressHash,
  type AddressToken,
  keyIdOf,
  type LinkKey,
  readToken,
  tokenWriter,
} from '../../domain/address-token';
import {
  proofToken,
  readReturnToken,
  returnKeyIdOf,
  type ReturnToken,
  type ReturnTokens,
  returnTokenWriter,
} from '../../domain/bounce-address';
import type { Viewer } from '../../domain/permissions';
import { audit } from '../audit/audit';

interface Secrets {
  /** The newest signs. */
  keys: LinkKey[];
  pepper: Buffer;
  readAt: number;
}

/** How old the keys may be that are used, and that an unknown key is looked for in. */
const FRESH_MS = 60_000;
const AGAIN_MS = 1_000;

/** Signs and reads the links of letters, with keys that stand in the database and belong to its backups. */
@Injectable()
export class LinkKeys {
  private secrets: Promise<Secrets> | undefined;

  constructor(private readonly database: Database) {}

  /** The function that writes the tokens of a mailing's letters. */
  async signer(
    of: Pick<AddressToken, 'kind' | 'ownerId' | 'mailingId'>,
  ): Promise<(deliveryId: number, email: string) => string> {
    const { pepper } = await this.read(FRESH_MS);
    const write = tokenWriter(await this.signingKey(), of);
    return (deliveryId, email) => write(deliveryId, addressHash(pepper, email.toLowerCase()));
  }

  /** Null for anything that was not signed here, and for what a retired key has signed. */
  async tokenOf(text: string): Promise<AddressToken | null> {
    return readToken(await this.keysWith(keyIdOf(text)), text);
  }

  /** The function that writes what a letter's return addresses say. */
  async returnSigner(): Promise<(deliveryId: number) => ReturnTokens> {
    return returnTokenWriter(await this.signingKey());
  }

  /** What the address of a proof letter says. */
  async proofToken(proofId: number): Promise<string> {
    return proofToken(await this.signingKey(), proofId);
  }

  /** As `tokenOf`, of a token in an address. */
  async returnTokenOf(text: string): Promise<ReturnToken | null> {
    const id = returnKeyIdOf(text);
    return id === undefined ? null : readReturnToken(await this.keysWith(id), text);
  }

  /** What stands for an address in links and in the list of suppressions. @param key as `emailKey` gives it */
  async hashOf(key: string): Promise<Buffer> {
    return addressHash((await this.read(FRESH_MS)).pepper, key);
  }

  /** A new key signs from now on; the older ones stay good, for the letters that are out. @returns its number */
  async rotate(viewer: Viewer): Promise<number> {
    const id = await this.database.transaction(async (tx) => {
      await audit(tx, viewer, 'link_keys.rotate');
      const row = await tx.first<{ id: number }>(
        `INSERT INTO link_keys (id, secret)
       SELECT max(id) + 1, uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) FROM link_keys RETURNING id`,
      );
      return row?.id ?? 0;
    });
    this.secrets = undefined;
    return id;
  }

  private async signingKey(): Promise<LinkKey> {
    const [key] = (await this.read(FRESH_MS)).keys;
    if (!key) throw new Error('all keys for links in letters are retired: make one by gonets rotate-link-keys');
    return key;
  }

  /** Another process may have made a key meanwhile. Whatever is sent, they are read at most once a second. */
  private async keysWith(keyId: number | undefined): Promise<LinkKey[]> {
    const known = await this.read(FRESH_MS);
    return (known.keys.some(({ id }) => id === keyId) ? known : await this.read(AGAIN_MS)).keys;
  }

  private async read(maxAgeMs: number): Promise<Secrets> {
    const known = await this.secrets?.catch(() => undefined);
    if (known && performance.now() - known.readAt < maxAgeMs) return known;
    this.secrets = this.load();
    // While Postgres is away, the keys that were read before are used.
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
