import type { SentLetter } from '../../features/runs/sent-letter.service';
import { PageHead } from '../components/list';
import { useReader } from '../reader';

/** A letter as it was sent, in a frame with its own URL and security policy, so that nothing in it can run in this page. */
export function LetterPage({ letter, frame }: { letter: SentLetter; frame: string }) {
  const { t, format } = useReader();
  const { to } = letter;
  return (
    <>
      <PageHead
        title={letter.subject}
        back={{ to: `/runs/${letter.runId}`, text: `${t.run.title}, ${format.time(letter.at)}` }}
      />
      <section class="card-box" aria-label={t.line.letterTitle}>
        <dl class="tiny-facts">
          <dt>{t.field.sender}</dt>
          <dd>{letter.from}</dd>
          <dt>{t.field.email}</dt>
          <dd>{to ? <a href={`/clients/${to.clientId}`}>{to.email}</a> : '–'}</dd>
        </dl>
        <p class="hint">
          {to ? t.line.letterTo(to.fullName || to.email, format.time(letter.at)) : t.line.letterMadeUp}{' '}
          {to && t.line.letterToday}
        </p>
        <iframe class="letter" sandbox="" title={t.line.letterTitle} src={frame}></iframe>
        <details>
          <summary>{t.line.text}</summary>
          <pre class="letter-text shown" tabindex={0}>
            {letter.text}
          </pre>
        </details>
      </section>
    </>
  );
}
