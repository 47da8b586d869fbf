import fc from 'fast-check';
import { Command } from 'ioredis';
import { commandBytes } from '../../src/queue/command-bytes';

const ofIoredis = (command: Command) => Command.prototype.toWritable.call(command, {});

describe('commandBytes', () => {
  const argument = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.integer(),
    fc.constantFrom('', '\r\n', '$1\r\n', null, Buffer.alloc(0)),
  );

  it('makes of any command the bytes that ioredis makes of it', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]+$/), fc.array(argument), (name, args) => {
        const command = new Command(name, args as string[]);
        expect(Buffer.from(commandBytes.call(command))).toEqual(Buffer.from(ofIoredis(command)));
      }),
      { numRuns: 2_000 },
    );
  });
});
