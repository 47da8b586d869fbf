import type { ComponentChildren } from 'preact';
import { type InboundKind, inboundKinds } from '../../domain/inbound-decision';
import type { Page } from '../../domain/paging';
import { reach } from '../../domain/permissions';
import { isProvider } from '../../domain/providers/provider';
import type { InboundContent, InboundView } from '../../features/inbound/inbound-letters.service';
import { Facts } from '../components/facts';
import { PostForm } from '../components/form';
import { PageHead, Pick, Reply, Results, Search } from '../components/list';
import { Chip } from '../components/states';
import { useReader } from '../reader';
import type { Texts } from '../texts/texts';

const TONE: Record<InboundKind, 'quiet' | 'bad' | 'warn'> = {
  hard: 'bad',
  soft: 'warn',
  complaint: 'bad',
  unsubscribe: 'warn',
  'auto-reply': 'quiet',
  ignore: 'quiet',
};

/** The letters that came back, and what each is. */
export function InboundListPage({ letters }: { letters: Page<InboundView> }) {
  const { t, format, now, user } = useReader();
  return (
    <>
      <PageHead title={t.inbound.title} back={{ to: '/suppressions', text: t.suppressions.title }}>
        {user !== null && reach(user, 'inbound.webhooks') !== 'none' && (
          <a class="btn btn-secondary" href="/inbound/webhooks">
            {t.webhooks.title}
          </a>
        )}
      </PageHead>
      <p>{t.inbound.about}</p>
      <Search>
        <Pick
          name="kind"
          label={t.inbound.kindLabel}
          all={t.list.all}
          options={inboundKinds.map((value) => ({ value, text: t.inbound.kind[value] }))}
        />
      </Search>
      <Results
        page={letters}
        caption={t.inbound.title}
        empty={{ text: t.inbound.empty }}
        columns={[
          {
            head: t.inbound.subject,
            class: 'main-cell',
            cell: ({ id, subject }) => <a href={`/inbound/${id}`}>{subject || t.inbound.noSubject}</a>,
          },
          { head: t.inbound.kindLabel, cell: (letter) => <Verdict of={letter} /> },
          { head: t.inbound.why, class: 'text-cell', cell: (letter) => whyOf(letter, t) },
          { head: t.inbound.aboutWhom, class: 'text-cell', cell: ({ address }) => address ?? '–' },
          {
            head: t.inbound.received,
            class: 'muted text-nowrap',
            cell: ({ receivedAt }) => format.ago(receivedAt, now),
          },
        ]}
      />
    </>
  );
}

interface Props {
  letter: InboundView;
  content: InboundContent;
}

/** One letter that came back: what it is, why, and the letter itself. */
export function InboundPage({ letter, content }: Props) {
  const { t, user } = useReader();
  const isReport = isProvider(letter.source);
  const mayJudge = user !== null && reach(user, 'inbound.judge') !== 'none';
  return (
    <>
      <PageHead
        title={letter.subject || t.inbound.noSubject}
        back={{ to: '/inbound', text: t.inbound.title }}
        chip={<Verdict of={letter} />}
      >
        <a class="btn btn-secondary" href={`/inbound/${letter.id}/letter.eml`} download>
          {isReport ? t.inbound.downloadReport : t.inbound.download}
        </a>
      </PageHead>
      <LetterFacts letter={letter} />
      {mayJudge && (
        <PostForm action={`/inbound/${letter.id}/judge`} class="card-box">
          <p class="hint">{t.inbound.judgeHint}</p>
          <button class="btn btn-secondary">{t.inbound.judge}</button>
        </PostForm>
      )}
      {!isReport && <Source title={t.inbound.headers} id="headers" text={content.headers} />}
      <Source title={isReport ? t.inbound.report : t.inbound.text} id="text" text={content.text || t.inbound.noText} />
    </>
  );
}

function LetterFacts({ letter }: { letter: InboundView }) {
  const { t, format } = useReader();
  const { deliveryId, reply, basis, matchBy, kind, blame, judgedAt } = letter;
  const facts: (readonly [string, ComponentChildren])[] = [
    [t.inbound.why, whyOf(letter, t)],
    ...(judgedAt && kind
      ? [[t.inbound.followsLabel, t.inbound.follows[kind === 'soft' && blame === 'sender' ? 'ours' : kind]] as const]
      : []),
    ...(reply ? [[t.inbound.said, <Reply text={reply} />] as const] : []),
    ...(letter.enhancedCode ? [[t.inbound.code, letter.enhancedCode] as const] : []),
    [t.inbound.basisLabel, basis ? t.inbound.basis[basis] : '–'],
    [t.inbound.aboutWhom, letter.address ?? '–'],
    [
      t.inbound.delivery,
      deliveryId ? (
        <a href={`/attempts?deliveryId=${deliveryId}`}>{t.inbound.openDelivery(deliveryId)}</a>
      ) : (
        t.inbound.none
      ),
    ],
    ...(matchBy ? [[t.inbound.matchLabel, t.inbound.match[matchBy]] as const] : []),
    ...(isProvider(letter.source)
      ? []
      : [
          [t.inbound.from, letter.envelopeFrom || t.inbound.nullSender] as const,
          [t.inbound.to, letter.envelopeTo] as const,
        ]),
    [t.inbound.received, `${format.time(letter.receivedAt)}, ${t.inbound.source[letter.source]}`],
    [t.inbound.sizeLabel, t.inbound.size(format.number(Math.ceil(letter.size / 1024)))],
  ];
  return <Facts of={facts} />;
}

const Source = ({ title, id, text }: { title: string; id: string; text: string }) => (
  <section aria-labelledby={id}>
    <h2 id={id}>{title}</h2>
    <pre class="source card-box" tabindex={0} aria-labelledby={id}>
      {text}
    </pre>
  </section>
);

function Verdict({ of: { kind, judgedAt, problem } }: { of: InboundView }) {
  const { t } = useReader();
  if (judgedAt && kind) return <Chip tone={TONE[kind]}>{t.inbound.kind[kind]}</Chip>;
  return <Chip tone={problem ? 'bad' : 'quiet'}>{problem ? t.inbound.failed : t.inbound.waiting}</Chip>;
}

function whyOf({ reason, problem }: InboundView, t: Texts): string {
  if (problem) return t.inbound.problem[problem];
  if (reason === null) return '–';
  return reason in t.inbound.reason
    ? t.inbound.reason[reason as keyof typeof t.inbound.reason]
    : t.reasons[reason as keyof typeof t.reasons];
}
