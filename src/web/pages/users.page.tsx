import type { Page } from '../../domain/paging';
import { roles } from '../../domain/permissions';
import type { MailingView } from '../../features/mailings/mailings.service';
import { userStatuses } from '../../features/users/user.entity';
import type { UserView } from '../../features/users/users.service';
import { Confirm, PostForm } from '../components/form';
import { Cell, Empty, PageHead, Pager, Pick, Row, Search, Table } from '../components/list';
import { Chip, MailingChip } from '../components/states';
import { useReader } from '../reader';
import { nameOf } from './mailings.page';

const TONES = { unconfirmed: 'quiet', waiting: 'warn', active: 'good', blocked: 'bad' } as const;

function UserChip({ user }: { user: UserView }) {
  return <Chip tone={TONES[user.status]}>{useReader().t.users.status[user.status]}</Chip>;
}

export function UsersPage({ users }: { users: Page<UserView> }) {
  const { t, format, now } = useReader();
  return (
    <>
      <PageHead title={t.users.title} />
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
      <div id="results">
        {users.items.length === 0 ? (
          <Empty text={t.list.nothingFound} />
        ) : (
          <Table
            caption={t.users.title}
            heads={[t.field.email, t.field.fullName, t.field.role, t.field.status, t.field.createdAt, t.field.lastSeen]}
          >
            {users.items.map((user) => (
              <Row key={user.id}>
                <Cell label={t.field.email} class="main-cell">
                  <a href={`/users/${user.id}`}>{user.email}</a>
                </Cell>
                <Cell label={t.field.fullName} class="text-cell">
                  {user.fullName}
                </Cell>
                <Cell label={t.field.role}>{t.users.role[user.role]}</Cell>
                <Cell label={t.field.status}>
                  <UserChip user={user} />
                </Cell>
                <Cell label={t.field.createdAt} class="muted text-nowrap">
                  {format.day(user.createdAt)}
                </Cell>
                <Cell label={t.field.lastSeen} class="muted text-nowrap">
                  {user.lastSeenAt ? format.ago(user.lastSeenAt, now) : '–'}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
        <Pager nextCursor={users.nextCursor} />
      </div>
    </>
  );
}

interface UserProps {
  user: UserView;
  mailings: Page<MailingView>;
  clients: number;
  may: { block: boolean; role: boolean };
}

/** One user, what they own, and the few things that may be done to them. */
export function UserPage({ user, mailings, clients, may }: UserProps) {
  const { t, format } = useReader();
  const at = `/users/${user.id}`;
  return (
    <>
      <PageHead
        title={user.fullName || user.email}
        back={{ to: '/users', text: t.users.title }}
        chip={<UserChip user={user} />}
      >
        {may.block && user.status === 'waiting' && (
          <PostForm action={`${at}/let-in`}>
            <button class="btn btn-primary">{t.users.letIn}</button>
          </PostForm>
        )}
        {may.block && user.status === 'blocked' && (
          <PostForm action={`${at}/unblock`}>
            <button class="btn btn-primary">{t.users.unblock}</button>
          </PostForm>
        )}
        {may.block && (user.status === 'active' || user.status === 'waiting') && (
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
      </PageHead>
      <dl class="facts card-box">
        <div>
          <dt>{t.field.email}</dt>
          <dd>{user.email}</dd>
        </div>
        <div>
          <dt>{t.field.role}</dt>
          <dd>{t.users.role[user.role]}</dd>
        </div>
        <div>
          <dt>{t.field.createdAt}</dt>
          <dd>{format.time(user.createdAt)}</dd>
        </div>
        <div>
          <dt>{t.field.lastSeen}</dt>
          <dd>{user.lastSeenAt ? format.time(user.lastSeenAt) : t.users.never}</dd>
        </div>
        <div>
          <dt>{t.menu.clients}</dt>
          <dd>{format.number(clients)}</dd>
        </div>
      </dl>
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
            heads={[t.field.mailing, t.field.status, { text: t.field.recipients, class: 'num' }]}
          >
            {mailings.items.map((mailing) => (
              <Row key={mailing.id}>
                <Cell label={t.field.mailing} class="main-cell">
                  <a href={`/mailings/${mailing.id}`}>{nameOf(mailing, t.mailings.nameless)}</a>
                </Cell>
                <Cell label={t.field.status}>
                  <MailingChip status={mailing.status} />
                </Cell>
                <Cell label={t.field.recipients} class="num">
                  {format.number(mailing.recipientCount)}
                </Cell>
              </Row>
            ))}
          </Table>
        )}
        <Pager nextCursor={mailings.nextCursor} />
      </section>
    </>
  );
}
