-- Up Migration
-- When a manager or admin last invited this user by e-mail: until they accept, nobody can take the account by
-- registering with the address. Null for those who came by themselves.
ALTER TABLE users ADD invited_at timestamptz,
  -- Who made the last invitation, or changed its role since: it is good only while they are active and may give the
  -- role. Null for one that rests on nobody's rights; so whoever invited is not deleted as long as they stand here.
  ADD invited_by bigint CONSTRAINT users_invited_by_fkey REFERENCES users,
  -- When one of the user's sessions was last used; kept when the sessions are gone. By the server's clock, as theirs.
  ADD last_seen_at timestamptz;
UPDATE users u SET last_seen_at = s.at
  FROM (SELECT user_id, max(last_seen_at) AS at FROM sessions GROUP BY user_id) s WHERE s.user_id = u.id;

ALTER TABLE notices DROP CONSTRAINT notices_kind_check, ADD CONSTRAINT notices_kind_check CHECK (kind IN
  ('confirm', 'known_address', 'reset', 'change_email', 'email_changed', 'password_changed', 'sign_in_changed',
   'let_in', 'test', 'signup', 'invite'));

-- Down Migration
DELETE FROM notices WHERE kind = 'invite';
ALTER TABLE notices DROP CONSTRAINT notices_kind_check, ADD CONSTRAINT notices_kind_check CHECK (kind IN
  ('confirm', 'known_address', 'reset', 'change_email', 'email_changed', 'password_changed', 'sign_in_changed',
   'let_in', 'test', 'signup'));
ALTER TABLE users DROP invited_at, DROP invited_by, DROP last_seen_at;
