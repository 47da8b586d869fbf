import { Get, Post } from '@nestjs/common';
import { mayChangeOf, type Viewer } from '../../domain/permissions';
import { TagsService } from '../../features/clients/tags.service';
import { Id } from '../../http/id.pipe';
import { CurrentViewer } from '../../http/viewer';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, WebController, wholeNumber } from '../web-controller';
import { TagPage, TagsPage } from './tags.page';

const LIST = '/clients/tags';

@WebController('clients/tags')
export class TagsWebController {
  constructor(private readonly tags: TagsService) {}

  @Get()
  list(@CurrentViewer() viewer: Viewer, @Ask() query: FormValues): Promise<WebAnswer> {
    return this.all(viewer, query, emptyForm());
  }

  @Post()
  create(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        await this.tags.create(viewer, inputOf(form));
        return redirect(LIST, 'saved');
      },
      (state) => this.all(viewer, {}, state),
    );
  }

  @Get(':id')
  show(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    return this.one(viewer, id);
  }

  @Post(':id')
  update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        await this.tags.update(viewer, id, inputOf(form));
        return redirect(LIST, 'saved');
      },
      (state) => this.one(viewer, id, { form: state }),
    );
  }

  @Post(':id/merge')
  merge(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        const { id: into } = await this.tags.merge(viewer, id, wholeNumber(form.into) ?? 0);
        return redirect(`${LIST}/${into}`, 'saved');
      },
      (state) => this.one(viewer, id, { merge: state }),
    );
  }

  @Post(':id/delete')
  delete(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number): Promise<WebAnswer> {
    return submit(
      reader,
      {},
      async () => {
        await this.tags.delete(viewer, id);
        return redirect(LIST, 'deleted');
      },
      (state) => this.one(viewer, id, { merge: state }),
    );
  }

  private async all(viewer: Viewer, { search, cursor, ownerId }: FormValues, add: FormState): Promise<WebAnswer> {
    const owner = wholeNumber(ownerId);
    const tags = await this.tags.list(viewer, {
      limit: 50,
      withTotal: true,
      ...(search && { search }),
      ...(cursor && { cursor }),
      ...(owner && { ownerId: owner }),
    });
    return page((t) => t.tags.title, <TagsPage tags={tags} add={add} />);
  }

  private async one(
    viewer: Viewer,
    id: number,
    { form, merge = emptyForm() }: { form?: FormState; merge?: FormState } = {},
  ): Promise<WebAnswer> {
    const tag = await this.tags.get(viewer, id);
    const others = (await this.tags.of(viewer, tag.ownerId)).filter((other) => other.id !== id);
    const shown = form ?? emptyForm({ name: tag.name, public: tag.public ? '1' : '' });
    return page(
      () => tag.name,
      <TagPage {...{ tag, others, merge }} mayChange={mayChangeOf(viewer, tag.ownerId)} form={shown} />,
    );
  }
}

/** A box that is not ticked is not sent. */
const inputOf = ({ name = '', public: isPublic }: FormValues) => ({ name, public: isPublic === '1' });
