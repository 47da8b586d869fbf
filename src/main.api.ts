import 'reflect-metadata';
import { Logger } from 'nestjs-pino';
import { createApi } from './api/create-api';
import { boot } from './boot';

void boot('api', async (config) => {
  const app = await createApi(config);
  await app.listen(config.port, config.host);
  app.get(Logger).log({ event: 'api.started', url: await app.getUrl() }, 'API is listening');
});
