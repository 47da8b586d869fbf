import type { Socket } from 'node:net';
import type { StandaloneConnectionOptions } from 'ioredis';
import StandaloneConnector from 'ioredis/built/connectors/StandaloneConnector';

/**
 * ioredis writes each command to its socket by itself. Here all commands of one turn of the event loop leave together:
 * the jobs of one batch end at once, and their fifteen commands become one write, one read in Redis and one answer.
 */
export class CorkedConnector extends StandaloneConnector {
  constructor(options: unknown) {
    super(options as StandaloneConnectionOptions);
  }

  override async connect(...args: Parameters<StandaloneConnector['connect']>) {
    const stream = await super.connect(...args);
    corkTurns(stream);
    return stream;
  }
}

function corkTurns(stream: Pick<Socket, 'write' | 'cork' | 'uncork'>): void {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  let corked = false;
  stream.write = (...args: unknown[]) => {
    if (!corked) {
      corked = true;
      stream.cork();
      process.nextTick(() => {
        corked = false;
        stream.uncork();
      });
    }
    return write(...args);
  };
}
