import { zonesWith } from '../../domain/time-zone';
import type { ApiToken } from '../../features/users/api-token.entity';
import { emptyForm, type FormState } from '../answers';
import { Confirm, Field, FormProblem, PostForm } from '../components/form';
import { Cell, PageHead, Row, Table } from '../components/list';
import { useReader } from '../reader';

interface Props {
  profile: FormState;
  password?: FormState;
  email?: FormState;
  token?: FormState;
  tokens: ApiToken[];
  /** Shown this once. */
  made?: string;
}

export function AccountPage({
  profile,
  password = emptyForm(),
  email = emptyForm(),
  token = emptyForm({ scopes: 'write' }),
  tokens,
  made,
}: Props) {
  const { t, user } = useReader();
  return (
    <>
      <PageHead title={t.account.title} />
      {made && (
        <div class="card-box" role="status">
          <h2>{t.account.newToken}</h2>
          <p>{t.account.tokenOnce}</p>
          <pre class="sample" id="new-token">
            {made}
          </pre>
          <button type="button" class="btn btn-secondary" data-copy="new-token">
            {t.account.copy}
          </button>
        </div>
      )}
      <div class="form-grid">
        <PostForm action="/account" class="card-box">
          <h2>{t.account.profile}</h2>
          <FormProblem form={profile} />
          <Field form={profile} name="fullName" label={t.field.fullName} autocomplete="name" />
          <Field
            form={profile}
            name="language"
            label={t.field.language}
            required
            options={[
              { value: 'en', text: 'English' },
              { value: 'ru', text: 'Русский' },
            ]}
          />
          <Field
            form={profile}
            name="timeZone"
            label={t.field.timeZone}
            required
            options={zonesWith(profile.values.timeZone ?? '').map((zone) => ({ value: zone, text: zone }))}
          />
          <button class="btn btn-primary">{t.form.save}</button>
        </PostForm>
        <div>
          <PostForm action="/account/password" class="card-box">
            <h2>{t.account.password}</h2>
            <FormProblem form={password} />
            <input type="hidden" autocomplete="username" value={user?.email ?? ''} />
            <Field
              form={password}
              name="currentPassword"
              label={t.field.currentPassword}
              type="password"
              required
              autocomplete="current-password"
            />
            <Field
              form={password}
              name="newPassword"
              label={t.field.newPassword}
              type="password"
              required
              autocomplete="new-password"
              hint={t.account.passwordHint}
            />
            <button class="btn btn-primary">{t.account.changePassword}</button>
          </PostForm>
          <PostForm action="/account/email" class="card-box">
            <h2>{t.account.email}</h2>
            <FormProblem form={email} />
            <Field form={email} name="email" label={t.field.email} type="email" required hint={t.account.emailHint} />
            <Field
              form={email}
              name="password"
              label={t.field.currentPassword}
              type="password"
              required
              autocomplete="current-password"
            />
            <button class="btn btn-primary">{t.account.changeEmail}</button>
          </PostForm>
        </div>
      </div>
      <Tokens tokens={tokens} form={token} />
    </>
  );
}

function Tokens({ tokens, form }: { tokens: ApiToken[]; form: FormState }) {
  const { t, format } = useReader();
  return (
    <section aria-labelledby="tokens">
      <h2 id="tokens">{t.account.tokens}</h2>
      {tokens.length === 0 ? (
        <p class="hint">{t.account.noTokens}</p>
      ) : (
        <Table
          caption={t.account.tokens}
          heads={[
            t.field.name,
            t.account.scopes,
            t.field.createdAt,
            t.field.lastUsed,
            t.field.expiresAt,
            t.form.actions,
          ]}
        >
          {tokens.map((token) => (
            <Row key={token.id}>
              <Cell label={t.field.name} class="main-cell">
                {token.name}
              </Cell>
              <Cell label={t.account.scopes}>
                {token.scopes.includes('write') ? t.account.readWrite : t.account.readOnly}
              </Cell>
              <Cell label={t.field.createdAt} class="muted text-nowrap">
                {format.day(token.createdAt)}
              </Cell>
              <Cell label={t.field.lastUsed} class="muted text-nowrap">
                {token.lastUsedAt ? format.time(token.lastUsedAt) : t.account.never}
              </Cell>
              <Cell label={t.field.expiresAt} class="muted text-nowrap">
                {token.expiresAt ? format.time(token.expiresAt) : t.mailings.never}
              </Cell>
              <Cell label={t.form.actions}>
                <Confirm
                  id={`revoke-${token.id}`}
                  action={`/account/tokens/${token.id}/revoke`}
                  text={t.account.revoke}
                  question={t.account.revokeQuestion(token.name)}
                  kind="btn-sm btn-outline-danger"
                >
                  <p>{t.account.revokeText}</p>
                </Confirm>
              </Cell>
            </Row>
          ))}
        </Table>
      )}
      <PostForm action="/account/tokens" class="card-box narrow">
        <h3>{t.account.newToken}</h3>
        <FormProblem form={form} />
        <Field form={form} name="name" label={t.field.name} required />
        <Field
          form={form}
          name="scopes"
          label={t.account.scopes}
          required
          options={[
            { value: 'write', text: t.account.readWrite },
            { value: 'read', text: t.account.readOnly },
          ]}
        />
        <Field form={form} name="expiresAt" label={t.field.expiresAt} type="date" />
        <div class="actions">
          <button class="btn btn-primary">{t.account.makeToken}</button>
          <a href="/api/docs">{t.account.docs}</a>
        </div>
      </PostForm>
    </section>
  );
}
