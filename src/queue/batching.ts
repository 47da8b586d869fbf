import { withBackend } from 'bullmq';
import { createBatchingBackend } from './batching-backend';

/** BullMQ's classes with the backend that handles plain jobs in batches. */
export const { Queue: BatchingQueue, Worker: BatchingWorker } = withBackend(createBatchingBackend);
