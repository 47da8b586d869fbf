/** Asks /health/live again and again, in a thread of its own, so that nothing the benchmark does itself counts as waiting. */
import { get, Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

const EVERY_MS = 20;
// A kept connection may just be closed when it is used again: that is an answer, too.
const agent = new Agent({ keepAlive: true });
let longest = 0;

parentPort?.on('message', () => {
  parentPort?.postMessage(longest);
  longest = 0;
});
for (;;) {
  const startedAt = performance.now();
  await new Promise((resolve) => {
    get(workerData, { agent }, (response) => response.resume().once('end', resolve)).once('error', resolve);
  });
  longest = Math.max(longest, performance.now() - startedAt);
  await sleep(EVERY_MS);
}
