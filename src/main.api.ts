import { stopAsked } from './config/stop-signal';
import 'reflect-metadata';
import { Logger } from 'nestjs-pino';
import { createApi } from './api/create-api';
import { boot } from './boot';
import { InboundListener } from './features/inbound/inbound-listener.service';
import { WebModule } from './web/web.module';

void boot('api', stopAsked, async (config) => {
  const app = await createApi(config, [WebModule]);
  return {
    begin: async () => {
      await app.listen(config.port, config.host);
      await app.get(InboundListener).start();
      app.get(Logger).log({ event: 'api.started', url: await app.getUrl() }, 'API is listening');
    },
    close: () => app.close(),
  };
});
