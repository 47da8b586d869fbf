import { s3UrlProblem } from './s3-url';
import { integer, setting, url } from './setting';

/** Pictures and attachments. */
export const storageSettings = {
  storageUrl: setting<string>({
    env: 'STORAGE_URL',
    about:
      'Where pictures and attachments are stored: s3://key:secret@host/bucket?region=eu-central-1, any object store that ' +
      'speaks S3 (over TLS; with tls=no as a parameter, in a private network, without). Empty: in Postgres. ' +
      'What was stored before it was set stays in Postgres.',
    default: '',
    secret: true,
    parse: url(s3UrlProblem),
  }),
  mediaPerUserMb: setting<number>({
    env: 'MEDIA_PER_USER_MB',
    about: 'How many megabytes of pictures and attachments one user may have.',
    default: 200,
    parse: integer(1, 1_000_000),
  }),
} as const;
