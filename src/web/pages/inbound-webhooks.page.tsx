import { PROVIDER_TITLES, type ProviderName, providerNames } from '../../domain/providers/provider';
import { PROVIDERS } from '../../domain/providers/providers';
import type { WebhookView } from '../../features/inbound/webhook-secrets.service';
import { emptyForm, type FormState } from '../answers';
import { Facts } from '../components/facts';
import { Confirm, Field, FormProblem, PostForm } from '../components/form';
import { PageHead, Table } from '../components/list';
import { useReader } from '../reader';

interface Props {
  webhooks: WebhookView[];
  form?: FormState;
  /** A new URL, shown only once. */
  made?: { id: number; provider: ProviderName; url: string };
}

/** The URLs by which mail providers report what came back. */
export function InboundWebhooksPage({ webhooks, form = emptyForm(), made }: Props) {
  const { t } = useReader();
  return (
    <>
      <PageHead title={t.webhooks.title} back={{ to: '/inbound', text: t.inbound.title }} />
      <p>{t.webhooks.about}</p>
      {made && <Made {...made} />}
      <Webhooks webhooks={webhooks} />
      <PostForm action="/inbound/webhooks" class="card-box narrow">
        <h2>{t.webhooks.make}</h2>
        <FormProblem form={form} />
        <Field
          form={form}
          name="provider"
          label={t.webhooks.provider}
          required
          options={providerNames.map((value) => ({ value, text: PROVIDER_TITLES[value] }))}
        />
        <button class="btn btn-primary">{t.webhooks.make}</button>
      </PostForm>
    </>
  );
}

function Made({ id, provider, url }: NonNullable<Props['made']>) {
  const { t } = useReader();
  return (
    <div class="card-box" role="status">
      <h2>
        {t.webhooks.made}: {PROVIDER_TITLES[provider]}
      </h2>
      <p>{t.webhooks.once}</p>
      <pre class="sample" id="new-url">
        {url}
      </pre>
      <button type="button" class="btn btn-secondary" data-copy="new-url">
        {t.webhooks.copy}
      </button>
      <p class="hint">
        {t.webhooks.setup[provider]} <a href={`/inbound/webhooks/${id}`}>{t.webhooks.more}</a>
      </p>
    </div>
  );
}

function Webhooks({ webhooks }: { webhooks: WebhookView[] }) {
  const { t, format, now } = useReader();
  if (webhooks.length === 0) return <p class="hint">{t.webhooks.none}</p>;
  return (
    <Table
      caption={t.webhooks.all}
      rows={webhooks}
      columns={[
        {
          head: t.webhooks.provider,
          class: 'main-cell',
          cell: ({ id, provider }) => <a href={`/inbound/webhooks/${id}`}>{PROVIDER_TITLES[provider]}</a>,
        },
        { head: t.field.createdAt, class: 'muted text-nowrap', cell: ({ createdAt }) => format.day(createdAt) },
        {
          head: t.webhooks.lastReport,
          class: 'muted text-nowrap',
          cell: ({ lastUsedAt }) => (lastUsedAt ? format.ago(lastUsedAt, now) : t.webhooks.never),
        },
        { head: t.webhooks.key, class: 'text-cell', cell: (webhook) => <Signature webhook={webhook} /> },
        {
          head: t.webhooks.state,
          class: 'text-cell',
          cell: ({ refusal, refusedAt, lastUsedAt }) =>
            refusal && refusedAt && (lastUsedAt === null || refusedAt >= lastUsedAt)
              ? t.webhooks.refused(t.webhooks.refusal[refusal], format.ago(refusedAt, now))
              : t.webhooks.good,
        },
      ]}
    />
  );
}

function Signature({ webhook: { provider, topicArn, hasSigningKey } }: { webhook: WebhookView }) {
  const { t } = useReader();
  const { signature } = PROVIDERS[provider];
  if (signature === undefined) return <>{t.webhooks.noSignature}</>;
  if (signature !== 'sns') return <>{hasSigningKey ? t.webhooks.keySet : '–'}</>;
  return <>{topicArn ? t.webhooks.topic(topicArn) : t.webhooks.unconfirmed}</>;
}

function Delete({ webhook: { id, provider } }: { webhook: WebhookView }) {
  const { t } = useReader();
  return (
    <Confirm
      id={`delete-${id}`}
      action={`/inbound/webhooks/${id}/delete`}
      text={t.webhooks.delete}
      question={t.webhooks.deleteQuestion(PROVIDER_TITLES[provider])}
      kind="btn-sm btn-outline-danger"
    >
      <p>{t.webhooks.deleteText}</p>
    </Confirm>
  );
}

/** One of them: where to enter it, what it is signed by, and its end. */
export function InboundWebhookPage({ webhook, form = emptyForm() }: { webhook: WebhookView; form?: FormState }) {
  const { t, format } = useReader();
  const { id, provider, createdAt } = webhook;
  const signs = typeof PROVIDERS[provider].signature === 'object';
  return (
    <>
      <PageHead title={PROVIDER_TITLES[provider]} back={{ to: '/inbound/webhooks', text: t.webhooks.title }}>
        <Delete webhook={webhook} />
      </PageHead>
      <Facts
        of={[
          [t.field.createdAt, format.time(createdAt)],
          [t.webhooks.setupLabel, t.webhooks.setup[provider]],
          [t.webhooks.key, <Signature webhook={webhook} />],
        ]}
      />
      {signs && (
        <PostForm action={`/inbound/webhooks/${id}/key`} class="card-box narrow">
          <FormProblem form={form} />
          <Field form={form} name="signingKey" label={t.webhooks.key} hint={t.webhooks.keyHint} autocomplete="off" />
          <button class="btn btn-primary">{t.webhooks.keySave}</button>
        </PostForm>
      )}
    </>
  );
}
