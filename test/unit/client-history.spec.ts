import { clientHistory } from '../../src/domain/client-history';
import type { DeliveryEvent, SuppressionReason } from '../../src/domain/suppression';

const at = (minute: number) => new Date(Date.UTC(2027, 2, 1, 12, minute));
const known = (kind: DeliveryEvent, minute: number) => ({ kind, createdAt: at(minute) });
const suppressed = (reason: SuppressionReason, minute: number, more: object = {}) => ({
  ...{ reason, createdAt: at(minute), expiresAt: null, isExpired: false, liftedAt: null },
  ...more,
});
type Suppression = ReturnType<typeof suppressed>;

/** Each entry as `minute what reason-or-kind (event)`. */
const told = (events: ReturnType<typeof known>[], suppressions: Suppression[]): string[] =>
  clientHistory(events, suppressions).map((entry) => {
    const minute = entry.at.getUTCMinutes();
    if (entry.what === 'known') return `${minute} ${entry.event.kind}`;
    return `${minute} ${entry.what} ${entry.suppression.reason}${entry.event ? ` (${entry.event.kind})` : ''}`;
  });

test.each<[string, ReturnType<typeof known>[], Suppression[], string[]]>([
  ['nothing', [], [], []],
  ['events, newest first', [known('delayed', 1), known('bounced', 3)], [], ['3 bounced', '1 delayed']],
  [
    'an unsubscribe and what it did as one entry',
    [known('unsubscribed', 5), known('delayed', 4)],
    [suppressed('unsubscribed', 5)],
    ['5 suppressed unsubscribed (unsubscribed)', '4 delayed'],
  ],
  [
    'a second unsubscribe, which changed nothing, as an event',
    [known('unsubscribed', 7), known('unsubscribed', 5)],
    [suppressed('unsubscribed', 5)],
    ['7 unsubscribed', '5 suppressed unsubscribed (unsubscribed)'],
  ],
  [
    'an event of the same instant that has another cause as one of its own',
    [known('bounced', 5)],
    [suppressed('manual', 5)],
    ['5 suppressed manual', '5 bounced'],
  ],
  [
    'what was lifted, by the person or by somebody else',
    [known('resubscribed', 6)],
    [suppressed('unsubscribed', 5, { liftedAt: at(6) }), suppressed('hard_bounce', 3, { liftedAt: at(4) })],
    [
      '6 lifted unsubscribed (resubscribed)',
      '5 suppressed unsubscribed',
      '4 lifted hard_bounce',
      '3 suppressed hard_bounce',
    ],
  ],
  [
    'nothing of what was never in force, but what became known',
    [known('bounced', 5)],
    [suppressed('hard_bounce', 5, { liftedAt: at(5) })],
    ['5 bounced'],
  ],
  [
    'what has expired, and not what will expire',
    [],
    [
      suppressed('hard_bounce', 1, { expiresAt: at(9), isExpired: true }),
      suppressed('invalid', 2, { expiresAt: at(20) }),
    ],
    ['9 expired hard_bounce', '2 suppressed invalid', '1 suppressed hard_bounce'],
  ],
])('a history tells %s', (_, events, suppressions, expected) => {
  expect(told(events, suppressions)).toEqual(expected);
});
