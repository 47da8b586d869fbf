import { connectionProblem } from '../config/connection-problem';
import { sqlState } from './database';

const BY_STATE: Record<string, string> = {
  '28P01': 'the user or the password of DATABASE_URL is wrong',
  '28000':
    'the server does not accept this user from here (its pg_hba.conf), or only with TLS, or the role may not log in',
  '3D000': 'the database that DATABASE_URL names does not exist',
  '42501': 'the user of DATABASE_URL lacks a right',
  '53300': 'the server has no connection left (max_connections)',
  '57P03': 'the server is starting, or going down',
};

/**
 * Why Postgres can't be used, in words that contain no user, password or database name; the message of any other error.
 */
export function postgresProblem(error: unknown): string {
  const known = connectionProblem(error) ?? BY_STATE[sqlState(error) ?? ''];
  if (known !== undefined) return known;
  const { message } = error as Error;
  if (/does not support SSL/i.test(message)) return 'the server offers no TLS, which DATABASE_URL asks for';
  if (/password must be a string|no password/i.test(message))
    return 'the server asks for a password, and DATABASE_URL gives none';
  return message;
}

/** For the `catch` of a connection attempt. @throws Error that says what is wrong */
export const refusePostgres = (error: unknown): never => {
  throw new Error(postgresProblem(error));
};
