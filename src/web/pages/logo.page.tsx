import { PICTURE_FILES } from '../../domain/media';
import type { Page } from '../../domain/paging';
import type { Picture } from '../../features/messages/pictures.service';
import type { FormState } from '../answers';
import { assetUrl } from '../assets';
import { FilesForm } from '../components/files-form';
import { FormProblem, PostForm } from '../components/form';
import { Empty, PageHead } from '../components/list';
import { Pager } from '../components/pager';
import { useReader } from '../reader';

/** The reader's own pictures, each a button that makes it the logo, and a new one. */
export function LogoPage({ pictures, form, add }: { pictures: Page<Picture>; form: FormState; add: FormState }) {
  const { t } = useReader();
  return (
    <>
      <link rel="stylesheet" href={assetUrl('pictures.css')} />
      <PageHead title={t.brand.logoChoose} back={{ to: '/sender', text: t.sender.title }} />
      <p>{t.brand.logoAbout}</p>
      <FilesForm
        action="/sender/logo"
        form={add}
        label={t.brand.logoFile}
        hint={t.brand.logoFileHint}
        accept={PICTURE_FILES}
        single
      >
        {t.brand.logoUpload}
      </FilesForm>
      <h2>{t.brand.logoOwn}</h2>
      <FormProblem form={form} />
      {pictures.items.length === 0 ? (
        <Empty text={t.media.empty} />
      ) : (
        <PostForm action="/sender/logo/choose">
          <ul class="pictures plain">
            {pictures.items.map(({ id, hash, name, alt }) => (
              <li key={id}>
                <button class="card-box" name="picture" value={id}>
                  <img src={`/media/${hash}`} alt={alt} loading="lazy" />
                  <span>{name}</span>
                </button>
              </li>
            ))}
          </ul>
        </PostForm>
      )}
      <Pager {...pictures} />
    </>
  );
}
