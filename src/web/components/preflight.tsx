import {
  type Finding,
  type FindingLevel,
  isBlocking,
  isOfLetters,
  isOfMessage,
  mayOverride,
} from '../../domain/preflight';
import { exclusionReasons } from '../../domain/codes';
import { worded } from '../../domain/problems';
import type { MailingView } from '../../features/mailings/mailings.service';
import type { Preflight } from '../../features/scheduling/preflight.service';
import type { Recipients } from '../../features/scheduling/preflight-facts';
import { emptyForm, type FormState } from '../form-state';
import { useReader } from '../reader';
import { Field, PostForm } from './form';
import { Icon } from './icon';
import { Chip } from './states';

/** Whose letters they are, and of which message, to say where what was found is put right. */
export interface LettersOf {
  ownerId: number;
  /** Null where changing the message would change nothing. */
  messageId: number | null;
}

/** A button of the form that lets letters go out although something was found. */
export interface Anyway {
  to: string;
  text: string;
}

interface Props {
  check: Preflight;
  mailing: MailingView;
  /** Of the database. */
  now: Date;
  may: { change: boolean; resume: boolean };
  /** Whether its last letters are going out: who gets one is told by the numbers of that run. */
  isLast: boolean;
}

/** So many remarks are shown at once; more of them are folded up. */
const SHOWN = 3;

/** The check before the start: what keeps the mailing from starting, what could be better, and who gets nothing. */
export function PreflightBox({ check, mailing, now, may, isLast }: Props) {
  const { t } = useReader();
  const findings = mailing.status === 'paused' ? check.findings.filter(isOfLetters) : check.findings;
  const blocking = findings.filter(isBlocking);
  const remarks = findings.filter((finding) => !isBlocking(finding));
  const tellsNumbers = !isLast && exclusionReasons.some((reason) => check.excluded[reason]);
  if (findings.length === 0 && !tellsNumbers) return null;
  return (
    <div class={`alert ${findings.length > 0 ? 'alert-warning' : 'alert-info'}`}>
      <Icon name={findings.length > 0 ? 'warning' : 'suppressions'} />
      <div>
        <Findings findings={blocking} of={mailing} isWaived={mailing.status === 'started' && mailing.addressWaived} />
        {tellsNumbers && <ExcludedNumbers of={check} />}
        <GoAnyway findings={findings} actions={actionsFor(mailing, now, may, t)} />
        {remarks.length > 0 && (
          <details open={blocking.length === 0 && remarks.length <= SHOWN}>
            <summary>{t.preflight.more(remarks.length)}</summary>
            <Findings findings={remarks} of={mailing} />
          </details>
        )}
      </div>
    </div>
  );
}

/** How many of those who are chosen get nothing, and why. Nothing, if everybody gets it or they are not counted. */
export function ExcludedNumbers({ of: { chosen, eligible, excluded } }: { of: Recipients }) {
  const { t, format } = useReader();
  const left = exclusionReasons.filter((reason) => excluded[reason]);
  if (left.length === 0 || chosen === null || eligible === null) return null;
  const reasons = left.map((reason) => t.preflight.excluded[reason](format.number(excluded[reason] ?? 0))).join(', ');
  return <p>{t.preflight.numbers(format.number(chosen), format.number(eligible), reasons)}</p>;
}

interface FindingsProps {
  findings: readonly Finding[];
  of: LettersOf;
  /** The mailing was let start without a postal address. */
  isWaived?: boolean;
}

const TONE = { block: 'bad', warn: 'warn', unknown: 'quiet' } as const satisfies Record<FindingLevel, string>;

/** Each finding with its level, in words, and where it is put right. */
export function Findings({ findings, of, isWaived = false }: FindingsProps) {
  const { t } = useReader();
  if (findings.length === 0) return null;
  const words = (finding: Finding) =>
    isWaived && finding.code === 'POSTAL_ADDRESS_MISSING' ? t.preflight.waived : textOf(finding, t.preflight.findings);
  return (
    <>
      <ul class="findings">
        {findings.map((finding, i) => (
          <li key={i}>
            <Chip tone={TONE[finding.level]}>{t.preflight.levels[finding.level]}</Chip> {words(finding)}{' '}
            <MessageErrors of={finding} />
            <Mended finding={finding} of={of} />
            <DnsRecord values={finding.values} />
          </li>
        ))}
      </ul>
      {of.messageId !== null && findings.some(isOfMessage) && (
        <p>
          <a href={`/messages/${of.messageId}`}>{t.preflight.toMessage}</a>
        </p>
      )}
    </>
  );
}

/** What is wrong with which part of the message. */
function MessageErrors({ of: { errors = [] } }: { of: Finding }) {
  const { t } = useReader();
  return (
    <>
      {errors.map((error, i) => (
        <div key={i}>
          {error.field in t.field ? `${t.field[error.field as keyof typeof t.field]}: ` : ''}
          {worded(t.problems, error)}
        </div>
      ))}
    </>
  );
}

/** The record that is to be published, to be copied. */
function DnsRecord({ values: { name, record } }: { values: Finding['values'] }) {
  const { t } = useReader();
  if (name === undefined || record === undefined) return null;
  return (
    <div class="dns-record">
      {t.preflight.publish}: <code>{name}</code> TXT <code>{record}</code>
    </div>
  );
}

function Mended({ finding: { code }, of }: { finding: Finding; of: LettersOf }) {
  const { t, user } = useReader();
  if (code === 'POSTAL_ADDRESS_MISSING')
    return user?.id === of.ownerId ? <a href="/sender">{t.preflight.toSender}</a> : <>{t.preflight.byOwner}</>;
  if (code === 'NOBODY_ELIGIBLE') return <a href="/suppressions">{t.preflight.toSuppressions}</a>;
  return null;
}

/** For managers and admins, folded up: lets letters go out all the same, for a reason. */
function GoAnyway({ findings, actions }: { findings: readonly Finding[]; actions: Anyway[] }) {
  const { t, user } = useReader();
  if (actions.length === 0 || !findings.some(isBlocking) || !mayGoAnyway(user?.role, findings)) return null;
  return (
    <details>
      <summary>{t.preflight.anyway}</summary>
      <AnywayForm actions={actions} form={emptyForm()} />
    </details>
  );
}

/** Whether this role may let letters go out in spite of these findings. */
export const mayGoAnyway = (role: string | undefined, findings: readonly Finding[]): boolean =>
  role !== undefined && role !== 'user' && findings.filter(isBlocking).every(mayOverride);

/** Asks for the reason; without a script, too, each button leads to an address of its own. */
export function AnywayForm({ actions, form }: { actions: readonly Anyway[]; form: FormState }) {
  const { t } = useReader();
  return (
    <PostForm action={actions[0]?.to ?? ''}>
      <Field form={form} name="override" label={t.preflight.why} hint={t.preflight.whyHint} required />
      <div class="actions">
        {actions.map(({ to, text }) => (
          <button class="btn btn-secondary" formaction={to} key={to}>
            {text}
          </button>
        ))}
      </div>
    </PostForm>
  );
}

function actionsFor(
  { id, status, startAt }: MailingView,
  now: Date,
  may: Props['may'],
  t: ReturnType<typeof useReader>['t'],
): Anyway[] {
  const action = (verb: keyof typeof t.preflight.verbs): Anyway => ({
    to: `/mailings/${id}/${verb}`,
    text: t.preflight.verbs[verb],
  });
  if (status === 'paused') return may.resume ? [action('resume')] : [];
  if (!may.change) return [];
  // What is due would go out at once, which is no scheduling.
  return status === 'created' && startAt > now ? [action('start'), action('send')] : [action('send')];
}

const textOf = (
  { code, values }: Finding,
  texts: Record<Finding['code'], (values: Finding['values']) => string>,
): string => texts[code](values);
