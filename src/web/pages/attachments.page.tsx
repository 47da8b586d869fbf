import { ATTACHMENTS_BYTES } from '../../domain/attachment';
import type { MessageAttachment } from '../../features/messages/attachments.service';
import type { MessageWithUse } from '../../features/messages/messages.service';
import type { FormState } from '../answers';
import { FilesForm } from '../components/files-form';
import { PostForm } from '../components/form';
import { Icon } from '../components/icon';
import { Empty, PageHead, Reply, Table } from '../components/list';
import { messageTitle } from '../message-title';
import { useReader } from '../reader';

interface Props {
  message: MessageWithUse;
  attachments: MessageAttachment[];
  form: FormState;
  mayChange: boolean;
}

const MEGABYTE = 1024 * 1024;

export function AttachmentsPage({ message, attachments, form, mayChange }: Props) {
  const { t, format } = useReader();
  const at = `/messages/${message.id}`;
  const left = ATTACHMENTS_BYTES - attachments.reduce((sum, { bytes }) => sum + bytes, 0);
  const columns = [
    { head: t.field.name, class: 'main-cell', cell: ({ name }: MessageAttachment) => name },
    {
      head: t.media.sizeHead,
      class: 'num',
      cell: ({ bytes }: MessageAttachment) => t.media.kilobytes(Math.ceil(bytes / 1024)),
    },
    {
      head: t.media.removeButton,
      cell: ({ id, name }: MessageAttachment) =>
        mayChange && (
          <PostForm action={`${at}/attachments/remove`}>
            <input type="hidden" name="attachment" value={String(id)} />
            <button class="btn btn-sm btn-secondary" aria-label={t.media.remove(name)}>
              {t.media.removeButton}
            </button>
          </PostForm>
        ),
    },
  ];
  return (
    <>
      <PageHead title={t.media.attachments} back={{ to: at, text: messageTitle(message, t) }} />
      {attachments.length > 0 ? (
        <Table caption={t.media.attachments} rows={attachments} columns={columns} />
      ) : (
        <Empty text={t.media.noAttachments} />
      )}
      {mayChange && (
        <FilesForm
          action={`${at}/attachments`}
          form={form}
          label={t.media.attachmentFiles}
          hint={t.media.attachmentsHint(format.number(Math.floor((left / MEGABYTE) * 10) / 10))}
        >
          {t.media.attach}
        </FilesForm>
      )}
    </>
  );
}

/** @param text what is wrong with the object store */
export function StorageTrouble({ text }: { text: string }) {
  const { t } = useReader();
  return (
    <div class="alert alert-warning" role="status">
      <Icon name="warning" />
      <div>
        {t.media.storageTrouble}
        <Reply text={text} />
      </div>
    </div>
  );
}

/** How many files the letters of a message carry, with the way to them. */
export function AttachmentsLink({ message: { id, attachmentCount: n } }: Pick<Props, 'message'>) {
  const { t } = useReader();
  return (
    <p class="field">
      <a href={`/messages/${id}/attachments`}>{n > 0 ? t.media.carries(n) : t.media.attach}</a>
    </p>
  );
}
