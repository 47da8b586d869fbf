/**
 * A Jest reporter: a file that has not ended after a quarter of an hour (the longest takes seven minutes), or after the minutes
 * of TEST_FILE_MINUTES, ends the whole run as failed, with its name and with what each of Jest's processes is doing. Jest's own
 * limits can't end a process that never gives its event loop back.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectFolder } from '../tools/embedded/install.mjs';

const LIMIT_MS = Number(process.env.TEST_FILE_MINUTES ?? 15) * 60_000;

export default class StuckFiles {
  /** @type {Map<string, NodeJS.Timeout>} */
  #running = new Map();

  /** @param {{ path: string }} test */
  onTestFileStart({ path }) {
    this.#running.set(path, setTimeout(() => void this.#end(path), LIMIT_MS).unref());
  }

  /** @param {{ path: string }} test */
  onTestFileResult({ path }) {
    clearTimeout(this.#running.get(path));
    this.#running.delete(path);
  }

  /** @param {string} path */
  async #end(path) {
    const file = relative(projectFolder, path);
    process.stderr.write(
      `${file} has not ended within ${LIMIT_MS / 60_000} minutes. What Jest's processes are doing:\n`,
    );
    for (const pid of childrenOf(process.pid)) {
      process.stderr.write(`process ${pid}:\n  ${(await stackOf(pid)).join('\n  ')}\n`);
      // The next one's debugger needs the same port.
      if (parentOf(pid)) process.kill(pid, 'SIGKILL');
    }
    process.exit(1);
  }
}

/** What a process is doing, by its debugger, which answers in the middle of a loop, too. @param {number} pid */
async function stackOf(pid) {
  if (!parentOf(pid)) return ['it has ended meanwhile'];
  process.kill(pid, 'SIGUSR1');
  await sleep(2_000);
  /** @type {string[]} */
  const frames = [];
  const answer = new Promise((resolve) => {
    fetch('http://127.0.0.1:9229/json/list')
      .then((response) => response.json())
      .then(([{ webSocketDebuggerUrl }]) => {
        const socket = new WebSocket(webSocketDebuggerUrl);
        const ask = (/** @type {string} */ method, id = 1) => socket.send(JSON.stringify({ id, method }));
        socket.onopen = () => (ask('Debugger.enable'), ask('Debugger.pause'));
        /** @type {Map<string, string>} */
        const urls = new Map();
        socket.onmessage = ({ data }) => {
          const { method, params } = JSON.parse(data);
          if (method === 'Debugger.scriptParsed') urls.set(params.scriptId, params.url);
          if (method !== 'Debugger.paused') return;
          for (const { functionName, location } of params.callFrames)
            frames.push(`${functionName || '(anonymous)'} ${urls.get(location.scriptId)}:${location.lineNumber + 1}`);
          resolve(frames);
        };
      })
      .catch((error) => resolve([`its debugger did not answer: ${error.message}`]));
  });
  return /** @type {Promise<string[]>} */ (
    Promise.race([answer, sleep(5_000, ['nothing in JavaScript: it waits, or is in native code'])])
  );
}

/** @param {number} pid */
function childrenOf(pid) {
  // Where there is no /proc, the name of the file has to do.
  return (existsSync('/proc') ? readdirSync('/proc') : [])
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((child) => parentOf(child) === pid);
}

/** @param {number} pid */
function parentOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
  } catch {
    return 0; // It has ended meanwhile.
  }
}
