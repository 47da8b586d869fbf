import { Gauge, type Registry } from 'prom-client';
import type { ReturnNumbers } from '../features/statistics/return-numbers.service';

/** Metrics of what comes back. Each has few labels: none of them names an owner, an address or a domain. */
export function registerReturns(registry: Registry, numbers: ReturnNumbers): void {
  const registers = [registry];
  new Gauge({
    name: 'gonets_inbound_letters',
    help: 'Letters that came in over the last 24 hours, by what they are and the way they came',
    labelNames: ['kind', 'source'],
    registers,
    async collect() {
      const rows = await numbers.inbound();
      this.reset();
      for (const { kind, source, n } of rows) this.set({ kind, source }, n);
    },
  });
  new Gauge({
    name: 'gonets_inbound_unjudged',
    help: 'Letters that came in and are not judged: waiting, failed (tried again) or given_up',
    labelNames: ['state'],
    registers,
    async collect() {
      const { waiting, failed, givenUp } = await numbers.waiting();
      for (const [state, n] of Object.entries({ waiting, failed, given_up: givenUp })) this.set({ state }, n);
    },
  });
  new Gauge({
    name: 'gonets_inbound_oldest_unjudged_seconds',
    help: 'For how long the oldest letter has waited to be judged; those given up do not count',
    registers,
    async collect() {
      this.set((await numbers.waiting()).oldestSeconds);
    },
  });
  new Gauge({
    name: 'gonets_suppressions',
    help: 'Addresses that get no mail, by reason, at most a minute old; absent if counting took too long',
    labelNames: ['reason'],
    registers,
    async collect() {
      const rows = await numbers.suppressions();
      this.reset();
      for (const { reason, n } of rows) this.set({ reason }, n);
    },
  });
  new Gauge({
    name: 'gonets_provider_letters',
    help: 'What became of letters over the last 24 hours, by provider of mailboxes',
    labelNames: ['provider', 'result'],
    registers,
    async collect() {
      const rows = await numbers.providers();
      this.reset();
      for (const { provider, name, n } of rows)
        this.set({ provider, result: name === 'softBounced' ? 'soft_bounced' : name }, n);
    },
  });
  new Gauge({
    name: 'gonets_provider_letters_age_seconds',
    help: 'How old the numbers by provider are; absent until something was counted',
    registers,
    async collect() {
      const ago = await numbers.countedAgo();
      this.remove();
      if (ago !== null) this.set(ago);
    },
  });
}
