import type { IdentityView } from '../../features/users/identities.service';
import { emptyForm, type FormState } from '../answers';
import { FormProblem, PostForm } from '../components/form';
import { PageHead } from '../components/list';
import { useReader } from '../reader';
import { ProofFields } from './second-factor.page';

export const PROVIDER = '/account/provider';

/** The host of a provider, as people know it. */
export const hostOf = (issuer: string): string => URL.parse(issuer)?.host ?? issuer;

/** Like OpenID discovery, treats an issuer with and without its last slash as the same. */
const isSame = (one: string, other: string): boolean => URL.parse(one)?.href === URL.parse(other)?.href;

interface Props {
  /** The provider of the settings; null if there is none. */
  host: string | null;
  issuer: string;
  identities: IdentityView[];
  hasPassword: boolean;
  form?: FormState;
}

/** The linked accounts, and one form to link or unlink. */
export function ProviderPage({ host, issuer, identities, hasPassword, form = emptyForm() }: Props) {
  const { t, format } = useReader();
  const linksMore = host !== null && !identities.some((identity) => isSame(identity.issuer, issuer));
  return (
    <>
      <PageHead title={t.provider.title} back={{ to: '/account', text: t.profile.title }} />
      {host !== null && <p class="narrow">{t.provider.about(host)}</p>}
      <section class="card-box narrow" aria-labelledby="linked">
        <h2 id="linked">{t.provider.linked}</h2>
        {identities.length === 0 && <p class="hint">{t.provider.none}</p>}
        <ul class="plain">
          {identities.map(({ id, issuer: of, createdAt }) => (
            <li class="line" key={id}>
              <span class="clip">{hostOf(of)}</span>
              <span class="hint">
                {t.provider.since} {format.time(createdAt)}
              </span>
            </li>
          ))}
        </ul>
      </section>
      {!hasPassword && <p>{t.provider.noPassword}</p>}
      {hasPassword && (linksMore || identities.length > 0) && (
        <PostForm action={`${PROVIDER}/link`} class="card-box narrow">
          <FormProblem form={form} />
          <ProofFields form={form} codeHint={t.provider.codeHint} codeOptional />
          <div class="actions">
            {linksMore && <button class="btn btn-primary">{t.provider.link(host)}</button>}
            {identities.map(({ id, issuer: of }) => (
              <button key={id} class="btn btn-outline-danger" formaction={`${PROVIDER}/${id}/unlink`}>
                {identities.length === 1 && !linksMore ? t.provider.unlink : t.provider.unlinkTitle(hostOf(of))}
              </button>
            ))}
          </div>
        </PostForm>
      )}
    </>
  );
}

/** Leads to the provider: browsers go there automatically (the header Refresh), or by the link. */
export function LeavingPage({ host, url }: { host: string; url: string }) {
  const { t } = useReader();
  return (
    <div class="door">
      <h1>{t.provider.leaving(host)}</h1>
      <div class="card-box">
        <p>{t.provider.leavingText(host)}</p>
        <a class="btn btn-primary" href={url}>
          {t.provider.goOn}
        </a>
      </div>
    </div>
  );
}
