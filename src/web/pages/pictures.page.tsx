import { PICTURE_FILES } from '../../domain/media';
import type { Page } from '../../domain/paging';
import type { Picture } from '../../features/messages/pictures.service';
import type { FormState } from '../answers';
import { assetUrl } from '../assets';
import { Confirm, Field, FormProblem, PostForm } from '../components/form';
import { FilesForm } from '../components/files-form';
import { Empty, NO_FILTERS, Owner, OwnerPick, PageHead, Search } from '../components/list';
import { Pager } from '../components/pager';
import { useReader } from '../reader';

/** The pictures that letters may show, as small pictures. */
export function PicturesPage({ pictures, add }: { pictures: Page<Picture>; add: FormState }) {
  const { t } = useReader();
  return (
    <>
      <Styles />
      <PageHead title={t.media.title} back={{ to: '/messages', text: t.messages.title }} />
      <p>{t.media.about}</p>
      <FilesForm
        action="/messages/pictures"
        form={add}
        label={t.media.files}
        hint={t.media.filesHint}
        accept={PICTURE_FILES}
      >
        {t.media.upload}
      </FilesForm>
      <Search label={t.media.search}>
        <OwnerPick />
      </Search>
      <div id="results">
        {pictures.items.length > 0 ? <Grid pictures={pictures.items} /> : <NoPictures />}
        <Pager {...pictures} />
      </div>
    </>
  );
}

const Styles = () => <link rel="stylesheet" href={assetUrl('pictures.css')} />;

function NoPictures() {
  const { t, query } = useReader();
  const searched = [...query].some(([name, value]) => value && !NO_FILTERS.includes(name));
  return <Empty text={searched ? t.list.nothingFound : t.media.empty} />;
}

function Grid({ pictures }: { pictures: Picture[] }) {
  const { t } = useReader();
  return (
    <ul class="pictures plain">
      {pictures.map((picture) => (
        <li key={picture.id} class="card-box">
          <a href={`/messages/pictures/${picture.id}`}>
            <img src={`/media/${picture.hash}`} alt="" loading="lazy" width={picture.width} height={picture.height} />
            <span>{picture.name}</span>
          </a>
          <p class="hint">{picture.alt || t.media.noAlt}</p>
          <p class="hint">{sizeOf(picture, t.media.size)}</p>
          <Uses picture={picture} />
          <Owner id={picture.ownerId} />
        </li>
      ))}
    </ul>
  );
}

const sizeOf = (
  { width, height, bytes }: Picture,
  words: (width: number, height: number, kilobytes: number) => string,
) => words(width, height, Math.ceil(bytes / 1024));

function Uses({ picture: { uses, isLogo } }: { picture: Picture }) {
  const { t } = useReader();
  if (isLogo && uses.length === 0) return <p class="hint">{t.media.logo}</p>;
  if (uses.length === 0) return <p class="hint">{t.media.unused}</p>;
  return (
    <p class="hint">
      {t.media.usedIn}{' '}
      {uses.map(({ id, name }, i) => (
        <span key={id}>
          {i > 0 && ', '}
          <a href={`/messages/${id}`}>{name || id}</a>
        </span>
      ))}
    </p>
  );
}

interface PictureProps {
  picture: Picture;
  form: FormState;
  mayChange: boolean;
}

export function PicturePage({ picture, form, mayChange }: PictureProps) {
  const { t } = useReader();
  const at = `/messages/pictures/${picture.id}`;
  return (
    <>
      <Styles />
      <PageHead title={picture.name} back={{ to: '/messages/pictures', text: t.media.title }}>
        {mayChange && (
          <Confirm
            id="delete"
            action={`${at}/delete`}
            text={t.form.delete}
            question={t.media.deleteQuestion}
            kind="btn-outline-danger"
          >
            <p>{t.media.deleteText}</p>
          </Confirm>
        )}
      </PageHead>
      <FormProblem form={form} />
      <div class="card-box narrow">
        <img
          class="picture"
          src={`/media/${picture.hash}`}
          alt={picture.alt}
          width={picture.width}
          height={picture.height}
        />
        <p class="hint">{sizeOf(picture, t.media.size)}</p>
        <Uses picture={picture} />
        <Owner id={picture.ownerId} />
        <label class="form-label" for="address">
          {t.media.address}
        </label>
        <input class="form-control" id="address" value={picture.url} readonly />
      </div>
      {mayChange && (
        <PostForm action={at} class="card-box narrow">
          <Field form={form} name="alt" label={t.media.alt} hint={t.media.altHint} autocomplete="off" />
          <div class="actions">
            <button class="btn btn-primary">{t.form.save}</button>
            <a class="btn btn-secondary" href="/messages/pictures">
              {t.form.cancel}
            </a>
          </div>
        </PostForm>
      )}
    </>
  );
}
