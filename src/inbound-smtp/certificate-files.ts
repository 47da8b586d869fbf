import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** Of a server, as PEM. */
export interface Certificate {
  cert: Buffer;
  key: Buffer;
}

/** The certificate and the key can't be used: one sentence that says which and why. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

/** A certificate with its key in two files, which somebody replaces from time to time. */
export class CertificateFiles {
  private present: Certificate | undefined;

  constructor(
    private readonly files: { cert: string; key: string },
    private readonly names: { cert: string; key: string },
  ) {}

  /** What is in the files now; null if it is what was read last. @throws CertificateError if it can't be used */
  read(): Certificate | null {
    const found = { cert: this.contentOf('cert'), key: this.contentOf('key') };
    const { present } = this;
    if (present?.cert.equals(found.cert) && present.key.equals(found.key)) return null;
    this.check(found);
    return (this.present = found);
  }

  private contentOf(which: keyof Certificate): Buffer {
    try {
      return readFileSync(this.files[which]);
    } catch (error) {
      throw new CertificateError(`${this.names[which]} can't be read: ${(error as Error).message}`);
    }
  }

  private check({ cert, key }: Certificate): void {
    const { names } = this;
    const certificate = valueOf(() => new X509Certificate(cert));
    if (!certificate) throw new CertificateError(`${names.cert} is no file with a certificate (PEM)`);
    const privateKey = valueOf(() => createPrivateKey(key));
    if (!privateKey) throw new CertificateError(`${names.key} is no file with a private key (PEM, without a password)`);
    if (!certificate.checkPrivateKey(privateKey))
      throw new CertificateError(`${names.key} does not belong to ${names.cert}`);
  }
}

function valueOf<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
}
