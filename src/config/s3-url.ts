import { isPrivate } from './private-host';
import { serviceUrlProblem } from './service-url';

/** What STORAGE_URL says. */
export interface S3Address {
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
  /** The bucket's address, without a slash at its end. */
  base: string;
}

const BUCKET = /^\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\/?$/;

/** Why a text is no STORAGE_URL, or null if it is. The answer repeats no part of it. */
export function s3UrlProblem(text: string): string | null {
  const problem = serviceUrlProblem(text, ['s3']);
  if (problem) return problem;
  const { username, password, hostname, pathname, searchParams } = new URL(text);
  if (!username || !password || !hostname || !BUCKET.test(pathname))
    return 'must be s3://key:secret@host/bucket?region=…, with the key and secret percent-encoded';
  const other = [...searchParams.keys()].find((name) => name !== 'region' && name !== 'tls');
  if (other !== undefined) return 'may have the parameters region and tls only';
  const tls = searchParams.get('tls') ?? 'yes';
  if (tls !== 'yes' && tls !== 'no') return 'must have yes or no as its parameter tls';
  return tls === 'yes' || isPrivate(hostname) ? null : 'may have tls=no only for a host in a private network';
}

/** @param url for which `s3UrlProblem` finds nothing */
export function s3Address(url: string): S3Address {
  const { username, password, host, pathname, searchParams } = new URL(url);
  const protocol = searchParams.get('tls') === 'no' ? 'http' : 'https';
  return {
    accessKeyId: decodeURIComponent(username),
    secretAccessKey: decodeURIComponent(password),
    region: searchParams.get('region') ?? 'us-east-1',
    base: `${protocol}://${host}${pathname.replace(/\/$/, '')}`,
  };
}
