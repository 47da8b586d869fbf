import { Injectable } from '@nestjs/common';
import type { Viewer } from '../../domain/permissions';
import { IdentitiesService } from '../../features/users/identities.service';
import { SecondFactorService } from '../../features/users/second-factor.service';
import { SessionsService } from '../../features/users/sessions.service';
import { TokensService } from '../../features/users/tokens.service';
import { OidcProvider } from '../../oidc/oidc-provider';
import type { Reader } from '../reader';
import { hostOf } from './provider.page';

/** What the profile page shows of its user, read from several services. */
@Injectable()
export class ProfileParts {
  constructor(
    private readonly tokens: TokensService,
    private readonly sessions: SessionsService,
    private readonly secondFactor: SecondFactorService,
    private readonly identities: IdentitiesService,
    private readonly provider: OidcProvider,
  ) {}

  async of(viewer: Viewer, { user, language, timeZone }: Reader) {
    const values = { fullName: user?.fullName ?? '', language, timeZone };
    const [tokens, sessions] = [await this.tokens.list(viewer.userId), await this.sessions.list(viewer)];
    const [{ since }, identities] = [await this.secondFactor.state(viewer), await this.identities.list(viewer)];
    const linked = new Set(identities.map(({ issuer }) => hostOf(issuer)));
    const hosts = new Set([...linked, ...(this.provider.host ? [this.provider.host] : [])]);
    return {
      tokens,
      sessions,
      profile: { values, problems: {} },
      secondFactor: since,
      providers: [...hosts].map((host) => ({ host, linked: linked.has(host) })),
    };
  }
}
