import { writeSync } from 'node:fs';

/**
 * The places at which a test may kill a process: the steps from planning a run to recording a result, of work on many
 * clients, and of judging a letter that came back.
 */
export type Failpoint =
  | 'run-created'
  | 'planning-page'
  | 'planned'
  | 'feeding'
  | 'fed'
  | 'claimed'
  | 'before-dot'
  | 'after-dot'
  | 'after-reply'
  | 'recorded'
  | 'run-drained'
  | 'unsubscribed'
  | 'inbound-decided'
  | 'mailbox-kept'
  | 'deaf'
  | 'import-chunk'
  | 'bulk-page'
  | 'bulk-suppressed'
  | 'undo-batch';

/**
 * GONETS_FAILPOINT=name[@n][:signal], read only when NODE_ENV=test: at the n-th pass (default 1) of that place the
 * process sends itself the signal (default SIGKILL). Anywhere else nothing is armed and `failpoint` does nothing.
 */
const [, armed = null, nth = '1', signal = 'SIGKILL'] =
  (process.env.NODE_ENV === 'test' && /^([\w-]+)(?:@(\d+))?(?::(\w+))?$/.exec(process.env.GONETS_FAILPOINT ?? '')) ||
  [];
let left = Number(nth);

export function isArmed(name: Failpoint): boolean {
  return armed === name;
}

export const failpoint: (name: Failpoint) => void =
  armed === null
    ? () => undefined
    : (name) => {
        if (armed !== name || --left !== 0) return;
        writeSync(2, `failpoint ${name}\n`);
        process.kill(process.pid, signal);
      };
