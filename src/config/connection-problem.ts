const CLOSED = 'the server closed the connection';

const BY_CODE: Record<string, string> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ENOTFOUND: 'the name of the host is not known',
  EAI_AGAIN: 'the name of the host could not be looked up',
  ECONNRESET: CLOSED,
  EPIPE: CLOSED,
  ETIMEDOUT: 'no answer in time',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOENT: 'the socket file is not there',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not speak TLS on this port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the server does not speak TLS on this port',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'the server asks for a certificate of the client',
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another host name",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet",
};
const UNTRUSTED = /SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)|CERT_UNTRUSTED|INVALID_CA/;

/**
 * Why a connection failed, by the codes of Node and OpenSSL; null for any other error. Repeats no part of a URL. If a
 * name has several addresses and all failed, it is about the first.
 */
export function connectionProblem(error: unknown): string | null {
  if (error instanceof AggregateError) return connectionProblem(error.errors[0]);
  const { code } = (error ?? {}) as { code?: unknown };
  if (typeof code !== 'string') return null;
  if (UNTRUSTED.test(code))
    return (
      `the server's certificate is signed by nobody this machine trusts (${code}); ` +
      'give its CA by NODE_EXTRA_CA_CERTS'
    );
  return BY_CODE[code] ?? (/^ERR_SSL_|^EPROTO$/.test(code) ? `the TLS handshake failed (${code})` : null);
}
