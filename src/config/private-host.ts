import { isIP } from 'node:net';

const PRIVATE_V4 = /^(?:127|10|192\.168|169\.254|172\.(?:1[6-9]|2\d|3[01])|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./;
const PRIVATE_NAME = /^[^.]+$|\.(?:localhost|local|internal|intranet|lan|home\.arpa)$/i;

/** Whether this is the same machine: what is sent there can't be read on the way. */
export function isLoopback(host: string): boolean {
  const bare = bareOf(host);
  return /^(?:localhost|.+\.localhost)$/i.test(bare) || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/** Whether the host is this machine or, by its address or name, in a private network, such as containers have. */
export function isPrivate(host: string): boolean {
  const bare = bareOf(host);
  if (isLoopback(bare)) return true;
  if (isIP(bare) === 4) return PRIVATE_V4.test(bare);
  return isIP(bare) === 6 ? /^f[cd]|^fe[89ab]/i.test(bare) : PRIVATE_NAME.test(bare);
}

/** Without the brackets of IPv6, and as IPv4 where it is mapped. */
function bareOf(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/i.exec(bare);
  if (!mapped) return bare;
  if (mapped[1]) return mapped[1];
  const [high, low] = [parseInt(mapped[2]!, 16), parseInt(mapped[3]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
