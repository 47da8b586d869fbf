import { brevo } from './brevo';
import { mailgun } from './mailgun';
import { mailjet } from './mailjet';
import { postmark } from './postmark';
import type { Provider, ProviderName } from './provider';
import { sendgrid } from './sendgrid';
import { ses } from './ses';
import { sparkpost } from './sparkpost';

export const PROVIDERS: Record<ProviderName, Provider> = {
  ses,
  sendgrid,
  mailgun,
  postmark,
  brevo,
  mailjet,
  sparkpost,
};
