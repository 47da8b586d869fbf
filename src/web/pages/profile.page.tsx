import { browserName } from '../../domain/browser-name';
import { languages } from '../../domain/language';
import { reach } from '../../domain/permissions';
import type { ApiToken } from '../../features/users/api-token.entity';
import type { SessionView } from '../../features/users/sessions.service';
import { emptyForm, type FormState } from '../answers';
import { Confirm, CurrentPassword, Field, FormProblem, PostForm } from '../components/form';
import { languageNames } from '../components/language';
import { PageHead, Table } from '../components/list';
import { ZoneField } from '../components/zone-field';
import { useReader } from '../reader';
import { scopesText } from '../codes';
import { PROVIDER } from './provider.page';
import { SECOND_FACTOR } from './second-factor.page';

interface Props {
  profile: FormState;
  password?: FormState;
  email?: FormState;
  token?: FormState;
  tokens: ApiToken[];
  sessions: SessionView[];
  /** Since when the second factor is on. */
  secondFactor: Date | null;
  /** The linked providers, and the one of the settings. */
  providers: { host: string; linked: boolean }[];
  /** A new token, shown only once. */
  made?: string;
}

export function ProfilePage({
  profile,
  password = emptyForm(),
  email = emptyForm(),
  token = emptyForm({ scopes: 'write' }),
  tokens,
  sessions,
  secondFactor,
  providers,
  made,
}: Props) {
  const { t } = useReader();
  return (
    <>
      <PageHead title={t.profile.title} />
      {made && (
        <div class="card-box" role="status">
          <h2>{t.profile.newToken}</h2>
          <p>{t.profile.tokenOnce}</p>
          <pre class="sample" id="new-token">
            {made}
          </pre>
          <button type="button" class="btn btn-secondary" data-copy="new-token">
            {t.profile.copy}
          </button>
        </div>
      )}
      <div class="form-grid">
        <PostForm action="/account" class="card-box">
          <h2>{t.profile.profile}</h2>
          <FormProblem form={profile} />
          <Field form={profile} name="fullName" label={t.field.fullName} autocomplete="name" />
          <Field
            form={profile}
            name="language"
            label={t.field.language}
            required
            options={languages.map((value) => ({ value, text: languageNames[value] }))}
          />
          <ZoneField form={profile} />
          <button class="btn btn-primary">{t.form.save}</button>
          <p class="hint">
            <a href="/sender">{t.sender.link}</a>
          </p>
        </PostForm>
        <div>
          <PasswordForm form={password} />
          <PostForm action="/account/email" class="card-box">
            <h2>{t.profile.email}</h2>
            <FormProblem form={email} />
            <Field form={email} name="email" label={t.field.email} type="email" required hint={t.profile.emailHint} />
            <CurrentPassword form={email} />
            <button class="btn btn-secondary">{t.profile.changeEmail}</button>
          </PostForm>
        </div>
      </div>
      <WaysIn secondFactor={secondFactor} providers={providers} />
      <Sessions sessions={sessions} />
      <Tokens tokens={tokens} form={token} />
    </>
  );
}

function PasswordForm({ form }: { form: FormState }) {
  const { t } = useReader();
  return (
    <PostForm action="/account/password" class="card-box">
      <h2>{t.profile.password}</h2>
      <FormProblem form={form} />
      <CurrentPassword form={form} name="currentPassword" />
      <Field
        form={form}
        name="newPassword"
        label={t.field.newPassword}
        type="password"
        required
        autocomplete="new-password"
        hint={t.profile.passwordHint}
      />
      <button class="btn btn-secondary">{t.profile.changePassword}</button>
    </PostForm>
  );
}

function WaysIn({ secondFactor, providers }: Pick<Props, 'secondFactor' | 'providers'>) {
  const { t, format } = useReader();
  return (
    <section class="card-box" aria-labelledby="ways-in">
      <h2 id="ways-in">{t.profile.waysIn}</h2>
      <ul class="plain">
        <li class="line">
          <a href={SECOND_FACTOR}>{t.secondFactor.title}</a>
          <span class="hint">
            {secondFactor ? t.profile.secondFactorOn(format.day(secondFactor)) : t.profile.secondFactorOff}
          </span>
        </li>
        {providers.map(({ host, linked }) => (
          <li class="line" key={host}>
            <a class="clip" href={PROVIDER}>
              {host}
            </a>
            <span class="hint">{linked ? t.provider.isLinked : t.provider.none}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Sessions({ sessions }: { sessions: SessionView[] }) {
  const { t, format } = useReader();
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">{t.profile.sessions}</h2>
      <Table
        caption={t.profile.sessions}
        rows={sessions}
        columns={[
          {
            head: t.profile.browser,
            class: 'main-cell',
            cell: ({ userAgent }) => (
              <span title={userAgent}>{browserName(userAgent) || t.profile.unknownBrowser}</span>
            ),
          },
          { head: t.profile.address, cell: ({ ip }) => ip },
          { head: t.profile.signedInAt, class: 'muted text-nowrap', cell: ({ createdAt }) => format.time(createdAt) },
          { head: t.field.lastUsed, class: 'muted text-nowrap', cell: ({ lastSeenAt }) => format.time(lastSeenAt) },
          {
            head: t.form.actions,
            cell: ({ id, current }) =>
              current ? (
                t.profile.thisSession
              ) : (
                <PostForm action={`/account/sessions/${id}/end`}>
                  <button class="btn btn-sm btn-outline-danger">{t.profile.endSession}</button>
                </PostForm>
              ),
          },
        ]}
      />
      {sessions.length > 1 && (
        <PostForm action="/account/sessions/end">
          <button class="btn btn-outline-danger">{t.profile.endOtherSessions}</button>
        </PostForm>
      )}
    </section>
  );
}

function Revoke({ token: { id, name } }: { token: ApiToken }) {
  const { t } = useReader();
  return (
    <Confirm
      id={`revoke-${id}`}
      action={`/account/tokens/${id}/revoke`}
      text={t.profile.revoke}
      question={t.profile.revokeQuestion(name)}
      kind="btn-sm btn-outline-danger"
    >
      <p>{t.profile.revokeText}</p>
    </Confirm>
  );
}

function Tokens({ tokens, form }: { tokens: ApiToken[]; form: FormState }) {
  const { t, format, user } = useReader();
  return (
    <section aria-labelledby="tokens">
      <h2 id="tokens">{t.profile.tokens}</h2>
      {tokens.length === 0 ? (
        <p class="hint">{t.profile.noTokens}</p>
      ) : (
        <Table
          caption={t.profile.tokens}
          rows={tokens}
          columns={[
            { head: t.field.name, class: 'main-cell', cell: ({ name }) => name },
            {
              head: t.profile.scopes,
              cell: ({ scopes }) => scopesText(scopes, t),
            },
            { head: t.field.createdAt, class: 'muted text-nowrap', cell: ({ createdAt }) => format.day(createdAt) },
            {
              head: t.field.lastUsed,
              class: 'muted text-nowrap',
              cell: ({ lastUsedAt }) => (lastUsedAt ? format.time(lastUsedAt) : t.profile.never),
            },
            {
              head: t.field.expiresAt,
              class: 'muted text-nowrap',
              cell: ({ expiresAt }) => (expiresAt ? format.time(expiresAt) : t.mailings.never),
            },
            { head: t.form.actions, cell: (token) => <Revoke token={token} /> },
          ]}
        />
      )}
      <PostForm action="/account/tokens" class="card-box narrow">
        <h3>{t.profile.newToken}</h3>
        <FormProblem form={form} />
        <Field form={form} name="name" label={t.field.name} required />
        <Field
          form={form}
          name="scopes"
          label={t.profile.scopes}
          required
          options={[
            { value: 'write', text: t.profile.readWrite },
            { value: 'read', text: t.profile.readOnly },
            ...(user && reach(user, 'inbound.take') !== 'none'
              ? [{ value: 'inbound', text: t.inbound.tokenScope }]
              : []),
          ]}
        />
        <Field form={form} name="expiresAt" label={t.field.expiresAt} type="date" />
        <div class="actions">
          <button class="btn btn-secondary">{t.profile.makeToken}</button>
          <a href="/api/docs">{t.profile.docs}</a>
        </div>
      </PostForm>
    </section>
  );
}
