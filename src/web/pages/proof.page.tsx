import type { ProofFinding, ProofResult } from '../../domain/proof';
import type { ProofState, ProofView } from '../../features/inbound/proof-letters.service';
import { Facts } from '../components/facts';
import { PostForm } from '../components/form';
import { Empty, PageHead, Reply, Table } from '../components/list';
import { Chip } from '../components/states';
import { useReader } from '../reader';

const STATE: Record<ProofState, 'quiet' | 'going' | 'good' | 'bad' | 'warn'> = {
  waiting: 'quiet',
  sent: 'going',
  lost: 'bad',
  refused: 'bad',
  returned: 'good',
  bounced: 'bad',
};
const RESULT: Record<ProofResult, 'good' | 'bad' | 'quiet'> = { ok: 'good', failed: 'bad', unknown: 'quiet' };

/** The last proof letter: where it is, and what arrived of it. */
export function ProofPage({ proof, mayComeBack }: { proof: ProofView | null; mayComeBack: boolean }) {
  const { t } = useReader();
  const isUnderWay = proof?.state === 'waiting' || proof?.state === 'sent';
  // Until it is back the page looks for it by itself.
  const live = isUnderWay && {
    'hx-get': '/status/proof',
    'hx-select': '#proof',
    'hx-trigger': 'every 3s',
    'hx-swap': 'outerHTML',
  };
  return (
    <>
      <PageHead title={t.proof.title} back={{ to: '/status', text: t.status.title }} />
      <p>{t.proof.about}</p>
      <div id="proof" {...live}>
        {!mayComeBack ? (
          <p class="alert alert-warning">{t.proof.noAddress}</p>
        ) : (
          !isUnderWay && (
            <PostForm action="/status/proof">
              <button class="btn btn-primary">{proof ? t.proof.again : t.proof.send}</button>
            </PostForm>
          )
        )}
        {proof ? <Proof proof={proof} /> : <Empty text={t.proof.none} />}
      </div>
    </>
  );
}

function Proof({ proof }: { proof: ProofView }) {
  const { t, format } = useReader();
  const { state, createdAt, sentAt, returnedAt, response, checks, receivers } = proof;
  return (
    <>
      <section class="card-box mt-3" aria-labelledby="state">
        <h2 id="state">
          <Chip tone={STATE[state]}>{t.proof.state[state]}</Chip>
        </h2>
        <p>{t.proof.says[state]}</p>
        {!proof.isCurrent && <p class="field-problem">{t.proof.old}</p>}
        <Facts
          class=""
          of={[
            [t.proof.asked, format.time(createdAt)],
            ...(sentAt ? [[t.proof.sentAt, format.exact(sentAt)] as const] : []),
            ...(returnedAt ? [[t.proof.returnedAt, format.exact(returnedAt)] as const] : []),
            ...(response ? [[t.proof.answer, <Reply text={response} />] as const] : []),
          ]}
        />
      </section>
      {checks.length > 0 && (
        <section aria-labelledby="checks">
          <h2 id="checks">{t.proof.checks}</h2>
          <Table
            caption={t.proof.checks}
            rows={checks}
            columns={[
              { head: t.field.name, class: 'main-cell', cell: ({ check }) => t.proof.check[check] },
              {
                head: t.field.status,
                cell: ({ result }) => <Chip tone={RESULT[result]}>{t.proof.result[result]}</Chip>,
              },
              { head: t.proof.meaning, class: 'text-cell result-cell', cell: (finding) => <Meaning of={finding} /> },
            ]}
          />
        </section>
      )}
      {receivers.length > 0 && (
        <section class="card-box" aria-labelledby="receivers">
          <h2 id="receivers">{t.proof.check.receivers}</h2>
          {receivers.map((text) => (
            <Reply key={text} text={text} />
          ))}
        </section>
      )}
    </>
  );
}

/** What a finding means, and what to do. */
function Meaning({ of: { check, result, fault, found } }: { of: ProofFinding }) {
  const { t } = useReader();
  if (result === 'ok') return <>{t.proof.ok[check]}</>;
  return (
    <>
      {result === 'failed' && `${t.proof.bad[check]} `}
      {fault && t.proof.fault[fault]}
      {found !== '' && (
        <>
          {' '}
          {t.proof.found}: <code class="reply">{found}</code>
        </>
      )}
    </>
  );
}
