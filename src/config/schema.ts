import { inboundSettings } from './inbound.settings';
import { peopleSettings } from './people.settings';
import { preflightSettings } from './preflight.settings';
import { sendingSettings } from './sending.settings';
import { serviceSettings } from './service.settings';
import { storageSettings } from './storage.settings';

/**
 * All settings: the only place that knows the environment. `.env.example` and the table in README.md are generated from
 * it (`npm run docs`).
 */
export const schema = {
  ...serviceSettings,
  ...storageSettings,
  ...sendingSettings,
  ...preflightSettings,
  ...inboundSettings,
  ...peopleSettings,
};
