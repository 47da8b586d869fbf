import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { ReturnNumbers } from '../features/statistics/return-numbers.service';
import { StatisticsService } from '../features/statistics/statistics.service';
import { AccountsService } from '../features/accounts/accounts.service';
import { DELIVERY_QUEUE } from '../queue/queues';
import { registerReturns } from './return-metrics';

/** Prometheus metrics of this process and of the service as the ledger sees it. */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();

  constructor(
    statistics: StatisticsService,
    accounts: AccountsService,
    returns: ReturnNumbers,
    @InjectQueue(DELIVERY_QUEUE) queue: Queue,
  ) {
    collectDefaultMetrics({ register: this.registry });
    const { registry } = this;
    registerReturns(registry, returns);
    new Gauge({
      name: 'gonets_deliveries_open',
      help: 'Deliveries of live runs that are not final, by state',
      labelNames: ['state'],
      registers: [registry],
      async collect() {
        const { pending, sending, deferred } = await statistics.open();
        for (const [state, n] of Object.entries({ pending, sending, deferred })) this.set({ state }, n);
      },
    });
    new Gauge({
      name: 'gonets_attempts',
      help: 'Attempts on the ledger over the last 24 hours, by status',
      labelNames: ['status'],
      registers: [registry],
      async collect() {
        for (const [status, n] of Object.entries(await statistics.recentAttempts())) this.set({ status }, n);
      },
    });
    new Gauge({
      name: 'gonets_delivery_events',
      help: 'What became known about letters over the last 24 hours after they were sent, by kind',
      labelNames: ['kind'],
      registers: [registry],
      async collect() {
        const { softBounced, ...counts } = await statistics.recentEvents();
        for (const [kind, n] of Object.entries({ ...counts, soft_bounced: softBounced })) this.set({ kind }, n);
      },
    });
    new Gauge({
      name: 'gonets_transport_open',
      help: '1 if the SMTP account is sending, 0 if it waits or is parked',
      registers: [registry],
      async collect() {
        this.set((await accounts.read()).state === 'open' ? 1 : 0);
      },
    });
    new Gauge({
      name: 'gonets_queue_jobs',
      help: 'Jobs of the delivery queue in Redis, by state; absent while Redis is away',
      labelNames: ['state'],
      registers: [registry],
      async collect() {
        const counts = await queue.getJobCounts('waiting', 'active', 'delayed').catch(() => ({}));
        for (const [state, n] of Object.entries(counts)) this.set({ state }, n);
      },
    });
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
