import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { Database } from '../database/database';
import { DELIVERY_QUEUE } from '../queue/queues';

/** Prometheus metrics of this process and of the service as the ledger sees it. */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();

  constructor(database: Database, @InjectQueue(DELIVERY_QUEUE) queue: Queue) {
    collectDefaultMetrics({ register: this.registry });
    const { registry } = this;
    new Gauge({
      name: 'gonets_deliveries_open',
      help: 'Deliveries of live runs that are not final, by state',
      labelNames: ['state'],
      registers: [registry],
      async collect() {
        const row = await database.first<Record<string, number>>(
          `SELECT coalesce(sum(pending), 0)::bigint AS pending, coalesce(sum(sending), 0)::bigint AS sending,
                  coalesce(sum(deferred), 0)::bigint AS deferred
             FROM run_counts WHERE run_id IN (SELECT id FROM runs WHERE status IN ('planning', 'sending'))`,
        );
        for (const [state, n] of Object.entries(row ?? {})) this.set({ state }, n);
      },
    });
    new Gauge({
      name: 'gonets_attempts',
      help: 'Attempts on the ledger over the last 24 hours, by status',
      labelNames: ['status'],
      registers: [registry],
      async collect() {
        const row = await database.first<Record<string, number>>(
          `SELECT coalesce(sum(attempts_ok), 0)::bigint AS ok, coalesce(sum(attempts_failed), 0)::bigint AS failed,
                  coalesce(sum(attempts_unknown), 0)::bigint AS unknown FROM stats WHERE bucket_at > app_now() - interval '1 day'`,
        );
        for (const [status, n] of Object.entries(row ?? {})) this.set({ status }, n);
      },
    });
    new Gauge({
      name: 'gonets_transport_open',
      help: '1 if the SMTP account is sending, 0 if it waits or is parked',
      registers: [registry],
      async collect() {
        const row = await database.first<{ state: string }>('SELECT state FROM transports WHERE id = 1');
        this.set(row?.state === 'open' ? 1 : 0);
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
