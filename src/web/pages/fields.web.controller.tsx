import { Get, Param, Post } from '@nestjs/common';
import { type FieldType, fieldTypes } from '../../domain/client-fields';
import type { Viewer } from '../../domain/permissions';
import { type FieldChanges, FieldsService } from '../../features/clients/fields.service';
import { CurrentViewer } from '../../http/viewer';
import { emptyForm, type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Form, type FormValues, oneOf, WebController } from '../web-controller';
import { FieldPage, FieldsPage } from './fields.page';

const LIST = '/clients/fields';

@WebController('clients/fields')
export class FieldsWebController {
  constructor(private readonly fields: FieldsService) {}

  @Get()
  async list(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    return page((t) => t.fields.title, <FieldsPage fields={await this.fields.list(viewer)} />);
  }

  @Get('new')
  blank(): WebAnswer {
    return page((t) => t.fields.new, <FieldPage form={emptyForm()} />);
  }

  @Post('new')
  create(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    // `key` is the name of the key of every form.
    const { fieldKey = '', label = '' } = form;
    // An unknown type is told by the service.
    const type = oneOf(fieldTypes, form.type) ?? ('' as FieldType);
    return submit(
      reader,
      form,
      async () => {
        await this.fields.create(viewer, {
          key: fieldKey.trim(),
          label,
          type,
          options: type === 'choice' ? lines(form.options) : [],
        });
        return redirect(LIST, 'saved');
      },
      (state) => page((t) => t.fields.new, <FieldPage form={atInputs(state)} />),
    );
  }

  @Get(':key')
  async edit(@CurrentViewer() viewer: Viewer, @Param('key') key: string): Promise<WebAnswer> {
    const field = await this.fields.get(viewer, key);
    const form = emptyForm({ label: field.label, options: field.options.join('\n') });
    return page(() => field.label, <FieldPage form={form} field={field} />);
  }

  @Post(':key')
  update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Param('key') key: string,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    const { label = '', options } = form;
    const change = { label, ...(options !== undefined && { options: lines(options) }) };
    return this.change(reader, viewer, key, form, () => this.fields.update(viewer, key, change));
  }

  @Post(':key/move')
  async move(
    @CurrentViewer() viewer: Viewer,
    @Param('key') key: string,
    @Form() { position = '' }: FormValues,
  ): Promise<WebAnswer> {
    const change: FieldChanges = /^\d{1,2}$/.test(position) ? { position: Number(position) } : {};
    await this.fields.update(viewer, key, change);
    return redirect(LIST);
  }

  @Post(':key/archive')
  async archive(@CurrentViewer() viewer: Viewer, @Param('key') key: string): Promise<WebAnswer> {
    await this.fields.update(viewer, key, { archived: true });
    return redirect(LIST, 'saved');
  }

  @Post(':key/restore')
  async restore(@CurrentViewer() viewer: Viewer, @Param('key') key: string): Promise<WebAnswer> {
    await this.fields.update(viewer, key, { archived: false });
    return redirect(LIST, 'saved');
  }

  @Post(':key/delete')
  delete(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Param('key') key: string,
  ): Promise<WebAnswer> {
    return this.change(reader, viewer, key, null, () => this.fields.delete(viewer, key), 'deleted');
  }

  /** Where it is refused, the field's page says why; `form` is what was typed, null where nothing was. */
  private async change(
    reader: Reader,
    viewer: Viewer,
    key: string,
    form: FormValues | null,
    work: () => Promise<unknown>,
    flash: 'saved' | 'deleted' = 'saved',
  ): Promise<WebAnswer> {
    const field = await this.fields.get(viewer, key);
    return submit(
      reader,
      form ?? { label: field.label, options: field.options.join('\n') },
      async () => {
        await work();
        return redirect(LIST, flash);
      },
      (state) => page(() => field.label, <FieldPage form={atInputs(state)} field={field} />),
    );
  }
}

const lines = (text = ''): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

/** Problems at the inputs of the form: all options are written in one. */
function atInputs(state: FormState): FormState {
  const inputs = Object.entries(state.problems).map(([name, problem]) => [
    name === 'key' ? 'fieldKey' : name.replace(/\.\d+$/, ''),
    problem,
  ]);
  return { ...state, problems: Object.fromEntries(inputs.reverse()) as FormState['problems'] };
}
