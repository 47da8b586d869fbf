import type { INestApplicationContext } from '@nestjs/common';
import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictError } from '../domain/errors';
import type { DeliveryCounts, DeliveryStatus } from '../domain/states';
import { MailingsService } from '../features/mailings/mailings.service';
import { RunsService, type RunView } from '../features/runs/runs.service';
import { SchedulerService } from '../features/scheduling/scheduler.service';
import { SendNowService } from '../features/scheduling/send-now.service';
import { OPERATOR, type Output, print, run } from './context';
import { idArgument } from './arguments';
import { findingLines } from './findings';

interface Options extends Output {
  wait?: boolean;
  dryRun?: boolean;
  failedOnly?: boolean;
  override?: string;
}

const LOOK_MS = 250;
const FINAL = ['done', 'cancelled', 'missed'];

/** Why a client would get nothing by a send now: the state of their delivery in this occurrence's run. */
const LEFT_OUT: Record<DeliveryStatus, string> = {
  pending: 'waits in this run',
  sending: 'is being sent to in this run',
  deferred: 'waits for another try',
  sent: 'got it already',
  failed: 'failed in this run (see --failed-only)',
  unknown: 'may have got it already',
  skipped: 'was skipped in this run',
  cancelled: 'was cancelled in this run',
};

export function sendMailingCommand(program: Command): void {
  program
    .command('send-mailing')
    .description('Starts a run of a mailing')
    .argument('<id>', 'the id of the mailing', idArgument)
    .option('--wait', 'show progress until the run is done; exit code 1 if anything failed')
    .option('--dry-run', 'only say to whom it would go, and what the check before it finds')
    .option('--failed-only', 'only to those who failed in the last run')
    .option('--override <why>', 'send although the check found something; the reason is kept in the audit log')
    .option('--json', 'print one JSON object')
    .action((id: number, options: Options) =>
      run(options, async (app) => {
        if (options.dryRun) return dryRun(app, id, options);
        const runId = options.failedOnly
          ? await resendFailed(app, id, options.override)
          : (await app.get(SendNowService).send(OPERATOR, id, null, options.override)).runId;
        if (options.wait) return wait(app, runId, options);
        print(options, { runId }, `Run ${runId} of mailing ${id} is started.`);
        return 0;
      }),
    );
}

async function resendFailed(app: INestApplicationContext, mailingId: number, override?: string): Promise<number> {
  const mailing = await app.get(MailingsService).get(OPERATOR, mailingId);
  if (!mailing.lastRun) throw new ConflictError('MAILING_NEVER_RUN', `Mailing ${mailingId} has no run yet.`);
  const { runId } = await app.get(SendNowService).resendFailed(OPERATOR, mailing.lastRun.id, override);
  return runId;
}

async function dryRun(app: INestApplicationContext, id: number, options: Options): Promise<number> {
  const mailing = await app.get(MailingsService).get(OPERATOR, id);
  const preview = await app.get(SendNowService).preview(OPERATOR, id);
  const next = await app.get(SchedulerService).schedule(OPERATOR, id, 5);
  const leftOut = preview.leftOut.map((left) => ({ ...left, reason: LEFT_OUT[left.status] }));
  const lines = leftOut.map(({ count, reason, emails }) => {
    const more = count > emails.length ? `, and ${count - emails.length} more` : '';
    return `  ${count} left out, ${reason}: ${emails.join(', ')}${more}`;
  });
  const excluded = Object.entries(preview.check.excluded).map(([reason, n]) => `  ${n} suppressed: ${reason}`);
  const findings = findingLines(preview.check.findings).map((line) => `  ${line}`);
  const checked = findings.length > 0 ? ['The check before letters go out:', ...findings] : [];
  const refused = preview.refusal ? [`It would be refused now: ${preview.refusal.message}`] : [];
  print(
    options,
    {
      mailingId: id,
      status: mailing.status,
      recipients: preview.recipients,
      leftOut,
      refusal: preview.refusal?.code ?? null,
      ...preview.check,
      next,
    },
    [
      `Mailing ${id} ("${mailing.name || mailing.messageSubject || ''}", ${mailing.status}) ` +
        `would go to ${preview.recipients ?? 'an unknown number of'} client(s).`,
      ...excluded,
      ...lines,
      ...checked,
      ...refused,
      ...(next.length > 0 ? ['Next occurrences:', ...next.map((o) => `  ${o.local}`)] : ['No further occurrences.']),
    ].join('\n'),
  );
  return preview.refusal ? 1 : 0;
}

async function wait(app: INestApplicationContext, runId: number, options: Options): Promise<number> {
  const runs = app.get(RunsService);
  const bar = new SingleBar({
    format:
      'Run {run} |{bar}| {value}/{total} | {sent} sent, {failed} failed, {deferred} deferred | {duration_formatted}',
    stream: process.stderr,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
  });
  bar.start(1, 0, { run: runId, sent: 0, failed: 0, deferred: 0 });
  let current: RunView;
  do {
    await sleep(LOOK_MS);
    current = await runs.get(OPERATOR, runId);
    bar.setTotal(Math.max(1, current.counts.total));
    bar.update(finalOf(current.counts), { ...current.counts });
  } while (!FINAL.includes(current.status));
  bar.stop();
  const { counts, status } = current;
  print(
    options,
    { runId, status, counts },
    `Run ${runId} is ${status}: ${counts.sent} sent, ${counts.failed} failed, ${counts.unknown} unknown, ` +
      `${counts.skipped} skipped, ${counts.cancelled} cancelled.`,
  );
  return status === 'done' && counts.failed === 0 && counts.unknown === 0 ? 0 : 1;
}

const finalOf = (c: DeliveryCounts): number => c.sent + c.failed + c.unknown + c.skipped + c.cancelled;
