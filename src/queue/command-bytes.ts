import { Command } from 'ioredis';

/**
 * ioredis turns each argument of a command that has a buffer among them into chunks of their own, measures each twice and
 * writes it by itself. A job's two scripts have forty arguments: that was one part in 25 of a worker's time. Here all text
 * between two buffers is one chunk. The bytes are the same.
 */
export function commandBytes(this: Command): string | Buffer {
  let text = `*${this.args.length + 1}\r\n$${Buffer.byteLength(this.name)}\r\n${this.name}\r\n`;
  const chunks: Buffer[] = [];
  for (const arg of this.args as (string | Buffer)[]) {
    if (typeof arg === 'string') text += `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`;
    else {
      chunks.push(Buffer.from(`${text}$${arg.length}\r\n`), arg);
      text = '\r\n';
    }
  }
  return chunks.length === 0 ? text : Buffer.concat([...chunks, Buffer.from(text)]);
}

/** For all connections of this process, also BullMQ's, which makes its commands by itself. */
export function useCommandBytes(): void {
  Command.prototype.toWritable = commandBytes;
}
