import { assetUrl } from '../assets';
import { useReader } from '../reader';
import { PageHead } from '../components/list';
import { backOf } from '../../domain/form-pages';

/** What a new message begins with. `draftAt`: when the reader kept a draft that began with it. */
export interface Start {
  id: string;
  name: string;
  /** The address of its form. */
  to: string;
  /** How the letter looks; none for an empty one. */
  look?: string;
  draftAt?: Date | undefined;
}

/** "New message": with blocks, from a letter that is nearly ready or an empty one, or as HTML. */
export function MessageStartPage({ blocks, html }: { blocks: Start[]; html: Start }) {
  const { t, path } = useReader();
  const texts = t.letterEditor.start;
  const back = backOf(path);
  return (
    <>
      <link rel="stylesheet" href={assetUrl('letter-editor.css')} />
      <PageHead
        title={t.messages.new}
        back={back ? { to: back, text: t.mailings.edit } : { to: '/messages', text: t.messages.title }}
      />
      <section class="card-box" aria-labelledby="start-blocks">
        <h2 id="start-blocks">{texts.blocks}</h2>
        <p class="hint">{texts.blocksHint}</p>
        <ul class="letter-choices starts">
          {blocks.map((start) => (
            <li key={start.id}>
              <a class="letter-choice" href={start.to}>
                <span class="thumb-frame" inert aria-hidden="true">
                  {start.look && (
                    <iframe
                      sandbox=""
                      loading="lazy"
                      scrolling="no"
                      tabindex={-1}
                      title={start.name}
                      src={start.look}
                    />
                  )}
                </span>
                <span class="letter-name">{start.name}</span>
                <DraftNote start={start} />
              </a>
            </li>
          ))}
        </ul>
      </section>
      <section class="card-box" aria-labelledby="start-html">
        <h2 id="start-html">{texts.html}</h2>
        <p>
          {texts.htmlHint} <DraftNote start={html} />
        </p>
        <a class="btn btn-secondary" href={html.to}>
          {texts.htmlOpen}
        </a>
      </section>
    </>
  );
}

function DraftNote({ start: { draftAt } }: { start: Start }) {
  const { t, format } = useReader();
  return draftAt ? <span class="hint">{t.letterEditor.start.yours(format.time(draftAt))}</span> : null;
}
