/**
 * An SMTP server that accepts everything and keeps nothing, as fast as one thread of Node can: what all are measured
 * against. Run it with `fork`: it says `{ port }`, answers `count` with the letters so far, `times` with the moments
 * (milliseconds since its start) at which letters were accepted since the last `reset`.
 */
import { createServer } from 'node:net';

const GREETING = '220 sink ESMTP\r\n';
const HELLO = '250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 104857600\r\n';
const END = Buffer.from('\r\n.\r\n');

let letters = 0;
/** @type {number[]} */
let times = [];
let keepTimes = false;

const server = createServer({ noDelay: true }, (socket) => {
  let inBody = false;
  let rest = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.write(GREETING);
  socket.on('data', (chunk) => {
    const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    rest = Buffer.alloc(0);
    let replies = '';
    let at = 0;
    while (at < data.length) {
      if (inBody) {
        const end = data.indexOf(END, at);
        if (end < 0) {
          // Only what may be the beginning of the end is looked at again.
          rest = data.subarray(Math.max(at, data.length - END.length + 1));
          break;
        }
        at = end + END.length;
        inBody = false;
        letters++;
        if (keepTimes) times.push(performance.now());
        replies += `250 2.0.0 Ok: queued as ${letters.toString(36).toUpperCase().padStart(10, '0')}\r\n`;
        continue;
      }
      const end = data.indexOf('\r\n', at);
      if (end < 0) {
        rest = data.subarray(at);
        break;
      }
      const verb = data.toString('latin1', at, Math.min(end, at + 4)).toUpperCase();
      at = end + 2;
      if (verb === 'DATA') {
        inBody = true;
        replies += '354 End data with <CR><LF>.<CR><LF>\r\n';
        // The line end before the dot may be this command's own (an empty body).
        if (data.indexOf('.\r\n', at) === at) {
          at += 3;
          inBody = false;
          letters++;
          replies += '250 2.0.0 Ok\r\n';
        }
      } else if (verb === 'EHLO') replies += HELLO;
      else if (verb === 'QUIT') {
        socket.end(`${replies}221 2.0.0 Bye\r\n`);
        return;
      } else replies += '250 2.0.0 Ok\r\n';
    }
    if (replies) socket.write(replies);
  });
});

process.on('message', (message) => {
  if (message === 'reset') {
    times = [];
    keepTimes = true;
    process.send?.({ reset: true });
  } else if (message === 'times') process.send?.({ times });
  else process.send?.({ letters });
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () =>
  process.send?.({ port: /** @type {import('node:net').AddressInfo} */ (server.address()).port }),
);
