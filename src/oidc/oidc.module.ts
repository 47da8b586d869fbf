import { Module } from '@nestjs/common';
import { OidcProvider } from './oidc-provider';

@Module({ providers: [OidcProvider], exports: [OidcProvider] })
export class OidcModule {}
