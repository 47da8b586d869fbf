import type { FirstSteps as Steps } from '../../features/statistics/first-steps.service';
import { useReader } from '../reader';
import { Icon } from './icon';

/** The way to the first mailing: what is done is ticked, the next step is the button. */
export function FirstSteps({ steps: { people, letter, prepared } }: { steps: Steps }) {
  const { t } = useReader();
  const { firstSteps: texts } = t.shell;
  const steps = [
    { ...texts.people, isDone: people, to: people ? '/clients' : '/clients/import' },
    { ...texts.letter, isDone: letter, to: letter ? '/messages' : '/messages/new' },
    { ...texts.mailing, isDone: false, to: prepared === null ? '/mailings/new' : `/mailings/${prepared}` },
  ];
  const next = steps.findIndex(({ isDone }) => !isDone);
  return (
    <section class="card-box" aria-labelledby="first-steps">
      <h2 id="first-steps">{texts.title}</h2>
      <ol class="first-steps">
        {steps.map(({ name, hint, button, isDone, to }, i) => (
          <li key={name} class={isDone ? 'done' : undefined} aria-current={i === next ? 'step' : undefined}>
            <span class="step-mark" aria-hidden="true">
              {isDone ? <Icon name="tick" /> : i + 1}
            </span>
            <div>
              {isDone ? <a href={to}>{name}</a> : <b>{name}</b>}
              {isDone ? <span class="visually-hidden"> {texts.done}</span> : <p class="hint">{hint}</p>}
            </div>
            {i === next && (
              <a class="btn btn-primary" href={to}>
                {prepared !== null && i === 2 ? texts.goOn : button}
              </a>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
