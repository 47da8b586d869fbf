import { attemptFate, type TriedAttempt } from '../../src/domain/attempt-fate';

const fate = (status: TriedAttempt['status'], deliveryStatus: TriedAttempt['deliveryStatus'], number = 2, of = 2) =>
  attemptFate({ status, attemptNumber: number, deliveryStatus, deliveryAttempts: of });

test('only the attempt with which a delivery failed for good is one', () => {
  expect(fate('failed', 'failed')).toBe('failed');
  expect(fate('failed', 'failed', 1)).toBe('retried');
  expect(fate('failed', 'sent', 1)).toBe('retried');
  for (const status of ['deferred', 'pending', 'sending'] as const) expect(fate('failed', status)).toBe('retry');
  for (const status of ['cancelled', 'skipped', 'sent', 'unknown'] as const)
    expect(fate('failed', status)).toBe('ended');
});

test('what went well, or what nobody knows, is that whatever came later', () => {
  expect(fate('ok', 'sent')).toBe('ok');
  expect(fate('unknown', 'deferred')).toBe('unknown');
  expect(fate('unknown', 'failed', 1)).toBe('unknown');
});
