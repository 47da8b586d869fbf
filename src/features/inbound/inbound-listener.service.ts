import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { CONFIG, type Config } from '../../config/config.module';
import { listenAt } from '../../config/inbound.settings';
import { isUnavailable } from '../../database/database';
import { INBOUND_MAX_BYTES } from '../../domain/read-letter';
import { CertificateFiles } from '../../inbound-smtp/certificate-files';
import { type AddressAnswer, InboundServer } from '../../inbound-smtp/inbound-server';
import { Repeated } from '../../logging/repeated';
import { ReturnAddresses } from '../consent/return-addresses';
import { InboundLetters } from './inbound-letters.service';

const SETTINGS = { cert: 'INBOUND_TLS_CERT', key: 'INBOUND_TLS_KEY' };
const CONNECTIONS = 20;
/** One address is not to keep the others out. */
const PER_ADDRESS = 5;
const IDLE_MS = 30_000;
const PATIENCE_MS = 120_000;
const LIFE_MS = 1_800_000;
/** The files of the certificate are looked at so often. */
const RENEW_MS = 60_000;

/** Receives letters that come back, by SMTP, if INBOUND_LISTEN says where. */
@Injectable()
export class InboundListener implements BeforeApplicationShutdown {
  private server: InboundServer | undefined;
  private certificate: CertificateFiles | undefined;
  private renewal: NodeJS.Timeout | undefined;
  private readonly failures: Repeated;

  constructor(
    private readonly letters: InboundLetters,
    private readonly returns: ReturnAddresses,
    @Inject(CONFIG) private readonly config: Pick<Config, 'inboundListen' | 'inboundTlsCert' | 'inboundTlsKey'>,
    private readonly logger: PinoLogger,
  ) {
    this.failures = new Repeated(logger);
  }

  /** @returns the port; null if it is not asked for @throws Error if the port or the certificate can't be had */
  async start(): Promise<number | null> {
    const at = listenAt(this.config.inboundListen);
    if (!at) return null;
    const { inboundTlsCert: cert, inboundTlsKey: key } = this.config;
    if (cert !== '') this.certificate = new CertificateFiles({ cert, key }, SETTINGS);
    this.server = new InboundServer({
      ...at,
      certificate: this.certificate?.read() ?? null,
      maxBytes: INBOUND_MAX_BYTES,
      connections: CONNECTIONS,
      perAddress: PER_ADDRESS,
      idleMs: IDLE_MS,
      patienceMs: PATIENCE_MS,
      lifeMs: LIFE_MS,
      isOurs: (address) => this.isOurs(address),
      keep: (envelope, raw) => this.letters.take('listener', envelope, raw),
      onFailure: (error) => this.failed(error),
    });
    const port = await this.server.listen();
    if (this.certificate) this.renewal = setInterval(() => this.renew(), RENEW_MS).unref();
    const tls = this.certificate !== undefined;
    this.logger.info({ event: 'inbound.listening', host: at.host, port, tls }, 'Receiving letters that come back');
    return port;
  }

  /** Takes the certificate that is in the files now; goes on with the last one if that can't be used. */
  renew(): void {
    try {
      const certificate = this.certificate?.read();
      if (!certificate) return;
      this.server?.renew(certificate);
      this.logger.info({ event: 'inbound.certificate' }, 'The certificate for letters that come back was read again');
    } catch (error) {
      this.failures.warn(
        { event: 'inbound.certificate_refused', reason: (error as Error).message },
        'A new certificate can not be used; the last one stays in use',
      );
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.renewal);
    await this.server?.close();
  }

  private async isOurs(address: string): Promise<AddressAnswer> {
    if (this.returns.isFeedback(address)) return 'ours';
    try {
      return (await this.returns.read(address)) === null ? 'unknown' : 'ours';
    } catch (error) {
      this.failed(error as Error);
      return 'later';
    }
  }

  private failed(error: Error): void {
    const reason = isUnavailable(error) ? 'the database is away' : error.message;
    this.failures.warn(
      { event: 'inbound.not_kept', reason },
      'A letter that came back was not kept; it will come again',
    );
  }
}
