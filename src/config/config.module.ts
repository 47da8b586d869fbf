import { type DynamicModule, Global, Module } from '@nestjs/common';
import type { ConfigValues } from './config';

export type Config = ConfigValues;

/** Injection token of the frozen settings: `@Inject(CONFIG) config: Config`. */
export const CONFIG = Symbol('config');

@Global()
@Module({})
export class ConfigModule {
  static with(values: Config): DynamicModule {
    return { module: ConfigModule, providers: [{ provide: CONFIG, useValue: values }], exports: [CONFIG] };
  }
}
