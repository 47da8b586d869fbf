import type { Page } from '../../domain/paging';
import { languages } from '../../domain/language';
import { type Role, roles } from '../../domain/permissions';
import type { Outcome } from '../../features/runs/outcomes.service';
import type { MailingView } from '../../features/mailings/mailings.service';
import { userStatuses } from '../../features/users/user.entity';
import type { UserView } from '../../features/users/users.service';
import { Facts } from '../components/facts';
import { Confirm, Field, FormProblem, PostForm } from '../components/form';
import { Icon } from '../components/icon';
import { PageHead, Pick, Results, Search, Table } from '../components/list';
import { Pager } from '../components/pager';
import { Chip, MailingChip } from '../components/states';
import type { FormState } from '../form-state';
import { mailingTitle } from '../mailing-title';
import { useReader } from '../reader';

const TONES = { unconfirmed: 'quiet', waiting: 'warn', active: 'good', blocked: 'bad' } as const;

/** Invited, and has not accepted yet. */
const isInvited = ({ status, invitedAt }: UserView) => status === 'unconfirmed' && invitedAt !== null;

function UserChip({ user }: { user: UserView }) {
  const { t } = useReader();
  const text = isInvited(user) ? t.invitations.invited : t.users.status[user.status];
  return <Chip tone={TONES[user.status]}>{text}</Chip>;
}

export function UsersPage({ users }: { users: Page<UserView> }) {
  const { t, format, now } = useReader();
  return (
    <>
      <PageHead title={t.users.title}>
        <a class="btn btn-primary" href="/users/invite">
          <Icon name="plus" /> {t.invitations.invite}
        </a>
      </PageHead>
      <Search label={t.users.search}>
        <Pick
          name="status"
          label={t.field.status}
          all={t.list.all}
          options={userStatuses.map((value) => ({ value, text: t.users.status[value] }))}
        />
        <Pick
          name="role"
          label={t.field.role}
          all={t.list.all}
          options={roles.map((value) => ({ value, text: t.users.role[value] }))}
        />
      </Search>
      <Results
        page={users}
        caption={t.users.title}
        columns={[
          { head: t.field.email, class: 'main-cell', cell: ({ id, email }) => <a href={`/users/${id}`}>{email}</a> },
          { head: t.field.fullName, class: 'text-cell', cell: (user) => user.fullName },
          { head: t.field.role, cell: (user) => t.users.role[user.role] },
          { head: t.field.status, cell: (user) => <UserChip user={user} /> },
          { head: t.field.createdAt, class: 'muted text-nowrap', cell: (user) => format.day(user.createdAt) },
          {
            head: t.field.lastSeen,
            class: 'muted text-nowrap',
            cell: ({ lastSeenAt }) => (lastSeenAt ? format.ago(lastSeenAt, now) : '–'),
          },
        ]}
      />
    </>
  );
}

/** The form to invite somebody, with the roles that the viewer may give. */
export function InvitePage({ form, roles: offered }: { form: FormState; roles: readonly Role[] }) {
  const { t } = useReader();
  return (
    <>
      <PageHead title={t.invitations.title} back={{ to: '/users', text: t.users.title }} />
      <PostForm action="/users/invite" class="card-box narrow">
        <FormProblem form={form} />
        <p>{t.invitations.text}</p>
        <Field form={form} name="email" label={t.field.email} type="email" required autocomplete="off" />
        <Field form={form} name="fullName" label={t.field.fullName} autocomplete="off" />
        {offered.length > 1 && (
          <Field
            form={form}
            name="role"
            label={t.field.role}
            options={offered.map((value) => ({ value, text: t.users.role[value] }))}
            required
          />
        )}
        <Field
          form={form}
          name="language"
          label={t.invitations.language}
          options={languages.map((value) => ({ value, text: t.invitations.languages[value] }))}
          required
        />
        <div class="actions">
          <button class="btn btn-primary">{t.invitations.send}</button>
        </div>
      </PostForm>
    </>
  );
}

interface UserProps {
  user: UserView;
  mailings: Page<MailingView>;
  outcomes: Map<number, Outcome>;
  clients: number;
  may: { block: boolean; role: boolean; invite: boolean };
}

/** Buttons to send an invitation again, and to withdraw it. */
function Inviting({ user }: { user: UserView }) {
  const { t } = useReader();
  return (
    <>
      <PostForm action="/users/invite">
        {(['email', 'fullName', 'role', 'language'] as const).map((name) => (
          <input key={name} type="hidden" name={name} value={user[name]} />
        ))}
        <button class="btn btn-primary">{t.invitations.again}</button>
      </PostForm>
      <Confirm
        id="uninvite"
        action={`/users/${user.id}/uninvite`}
        text={t.invitations.withdraw}
        question={t.invitations.withdrawQuestion(user.email)}
        kind="btn-outline-danger"
      >
        <p>{t.invitations.withdrawText}</p>
      </Confirm>
    </>
  );
}

/** Buttons to block and unblock a user. */
function Blocking({ user }: { user: UserView }) {
  const { t } = useReader();
  const at = `/users/${user.id}`;
  return (
    <>
      {user.status === 'waiting' && (
        <PostForm action={`${at}/let-in`}>
          <button class="btn btn-primary">{t.users.letIn}</button>
        </PostForm>
      )}
      {user.status === 'blocked' && (
        <PostForm action={`${at}/unblock`}>
          <button class="btn btn-primary">{t.users.unblock}</button>
        </PostForm>
      )}
      {(user.status === 'active' || user.status === 'waiting') && (
        <Confirm
          id="block"
          action={`${at}/block`}
          text={t.users.block}
          question={t.users.blockQuestion(user.email)}
          kind="btn-outline-danger"
        >
          <p>{t.users.blockText}</p>
        </Confirm>
      )}
      {user.secondFactor && (
        <Confirm
          id="reset-second-factor"
          action={`${at}/second-factor/reset`}
          text={t.secondFactor.reset}
          question={t.secondFactor.resetQuestion(user.email)}
          kind="btn-outline-danger"
        >
          <p>{t.secondFactor.resetText}</p>
        </Confirm>
      )}
    </>
  );
}

function UserFacts({ user, clients }: Pick<UserProps, 'user' | 'clients'>) {
  const { t, format } = useReader();
  return (
    <Facts
      of={[
        [t.field.email, user.email],
        [t.field.role, t.users.role[user.role]],
        [t.field.createdAt, format.time(user.createdAt)],
        ...(isInvited(user) && user.invitedAt ? [[t.invitations.since, format.time(user.invitedAt)] as const] : []),
        [t.field.lastSeen, user.lastSeenAt ? format.time(user.lastSeenAt) : t.users.never],
        [t.secondFactor.title, user.secondFactor ? t.secondFactor.on : t.secondFactor.none],
        [t.menu.clients, format.number(clients)],
      ]}
    />
  );
}

/** One user, what they own, and the actions on them. */
export function UserPage({ user, mailings, outcomes, clients, may }: UserProps) {
  const { t, format } = useReader();
  const at = `/users/${user.id}`;
  return (
    <>
      <PageHead
        title={user.fullName || user.email}
        back={{ to: '/users', text: t.users.title }}
        chip={<UserChip user={user} />}
      >
        <a class="btn btn-secondary" href={`/audit?who=${encodeURIComponent(user.email)}`}>
          {t.invitations.did}
        </a>
        {may.invite && isInvited(user) && <Inviting user={user} />}
        {may.block && <Blocking user={user} />}
      </PageHead>
      <UserFacts user={user} clients={clients} />
      {may.role && (
        <PostForm action={`${at}/role`} class="search">
          <label class="pick">
            <span>{t.field.role}</span>
            <select class="form-select" name="role">
              {roles.map((role) => (
                <option key={role} value={role} selected={role === user.role}>
                  {t.users.role[role]}
                </option>
              ))}
            </select>
          </label>
          <button class="btn btn-secondary">{t.users.setRole}</button>
        </PostForm>
      )}
      <section aria-labelledby="owns">
        <h2 id="owns">{t.users.owns}</h2>
        {mailings.items.length === 0 ? (
          <p class="hint">{t.users.ownsNothing}</p>
        ) : (
          <Table
            caption={t.users.owns}
            rows={mailings.items}
            columns={[
              {
                head: t.field.mailing,
                class: 'main-cell',
                cell: (mailing) => <a href={`/mailings/${mailing.id}`}>{mailingTitle(mailing, t)}</a>,
              },
              {
                head: t.field.status,
                cell: (mailing) => <MailingChip mailing={mailing} outcome={outcomes.get(mailing.id)} />,
              },
              {
                head: t.field.recipients,
                class: 'num',
                cell: ({ recipientCount }) => (recipientCount === null ? '–' : format.number(recipientCount)),
              },
            ]}
          />
        )}
        <Pager {...mailings} />
      </section>
    </>
  );
}
