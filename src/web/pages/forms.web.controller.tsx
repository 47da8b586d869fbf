import { Get, Inject, Post } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/config.module';
import { isLanguage } from '../../domain/language';
import { mayChangeOf, type Viewer } from '../../domain/permissions';
import { type FormGround, nameModes, type SignupFormInput } from '../../domain/signup-form';
import type { SignupFormView } from '../../features/signups/form-view';
import { inputOf, SignupFormsService } from '../../features/signups/signup-forms.service';
import { SignupRecords } from '../../features/signups/signup-records.service';
import { Id } from '../../http/id.pipe';
import { CurrentViewer } from '../../http/viewer';
import { type FormState, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { opened, versionOf } from '../kept-form';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import { FormEditorPage } from './form-editor.page';
import { FormPage, FormsPage } from './forms.page';

@WebController('forms')
export class FormsWebController {
  constructor(
    private readonly forms: SignupFormsService,
    private readonly records: SignupRecords,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  async list(@CurrentViewer() viewer: Viewer, @Ask() { cursor, ownerId }: FormValues): Promise<WebAnswer> {
    const owner = wholeNumber(ownerId);
    const query = { limit: 50, withTotal: true, ...(cursor && { cursor }), ...(owner && { ownerId: owner }) };
    const forms = await this.forms.list(viewer, query);
    return page((t) => t.forms.title, <FormsPage forms={forms} />);
  }

  @Get('new')
  blank(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<WebAnswer> {
    const values = { language: reader.language, fullName: 'optional', doubleOptIn: 'on' };
    return this.editor(viewer.userId, opened(reader, values));
  }

  @Post('new')
  create(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    return submit(
      reader,
      form,
      async () => {
        const input = inputFrom(form, await this.forms.ground(viewer.userId));
        const { id } = await this.forms.create(viewer, input);
        return redirect(`/forms/${id}`, 'saved');
      },
      (state) => this.editor(viewer.userId, state),
    );
  }

  @Get(':id')
  async show(@CurrentViewer() viewer: Viewer, @Id() id: number, @Ask() { cursor }: FormValues): Promise<WebAnswer> {
    const form = await this.forms.get(viewer, id);
    const [ground, records] = await Promise.all([
      this.forms.ground(form.ownerId),
      this.records.list(viewer, id, { limit: 25, ...(cursor && { cursor }) }),
    ]);
    const mayChange = mayChangeOf(viewer, form.ownerId);
    const { publicUrl } = this.config;
    return page(() => form.name, <FormPage {...{ form, ground, records, publicUrl, mayChange }} />);
  }

  @Get(':id/edit')
  async edit(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number): Promise<WebAnswer> {
    const form = await this.forms.get(viewer, id);
    const ground = await this.forms.ground(form.ownerId);
    return this.editor(form.ownerId, opened(reader, valuesOf(form, ground), form.version), form);
  }

  @Post(':id/edit')
  async update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() values: FormValues,
  ): Promise<WebAnswer> {
    let form = await this.forms.get(viewer, id);
    return submit(
      reader,
      values,
      async () => {
        const input = inputFrom(values, await this.forms.ground(form.ownerId));
        await this.forms.update(viewer, id, { ...input, ...versionOf(values) });
        return redirect(`/forms/${id}`, 'saved');
      },
      (state) => this.editor(form.ownerId, state, form),
      async () => {
        form = await this.forms.get(viewer, id);
        return { values: valuesOf(form, await this.forms.ground(form.ownerId)), version: form.version };
      },
    );
  }

  @Post(':id/close')
  async close(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.forms.update(viewer, id, { closed: true });
    return redirect(`/forms/${id}`, 'saved');
  }

  @Post(':id/open')
  async open(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.forms.update(viewer, id, { closed: false });
    return redirect(`/forms/${id}`, 'saved');
  }

  @Post(':id/delete')
  async delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.forms.delete(viewer, id);
    return redirect('/forms', 'deleted');
  }

  private async editor(ownerId: number, state: FormState, form?: SignupFormView): Promise<WebAnswer> {
    const ground = await this.forms.ground(ownerId);
    return page(
      (t) => (form ? t.forms.edit : t.forms.new),
      <FormEditorPage state={state} ground={ground} {...(form && { form })} />,
    );
  }
}

/** Ticks are sent as `topic.ID` and `tag.ID`, what is asked for as `ask.KEY`. */
function inputFrom(values: FormValues, { fields, tags }: FormGround): SignupFormInput {
  const asked = (mode: string) => fields.filter(({ key }) => values[`ask.${key}`] === mode).map(({ key }) => key);
  const ticked = (name: string) => tags.filter(({ id }) => values[`${name}.${id}`] !== undefined);
  const { name = '', title = '', intro = '', thanks = '', consentText = '', redirectUrl = '', language } = values;
  return {
    ...{ name, title, intro, thanks, consentText, redirectUrl },
    language: isLanguage(language) ? language : 'en',
    doubleOptIn: values.doubleOptIn !== undefined,
    fullName: oneOf(nameModes, values.fullName) ?? 'optional',
    fields: fields
      .filter(({ key }) => ['optional', 'required'].includes(values[`ask.${key}`] ?? ''))
      .map(({ key }) => key),
    requiredFields: asked('required'),
    topics: ticked('topic').map((tag) => tag.name),
    tags: ticked('tag').map((tag) => tag.name),
    allowedOrigins: (values.allowedOrigins ?? '').split(/\s+/).filter((origin) => origin !== ''),
  };
}

function valuesOf(form: SignupFormView, ground: FormGround): FormValues {
  const { fields, requiredFields, allowedOrigins, doubleOptIn, ...texts } = inputOf(form, ground);
  const { name, title, language, intro, thanks, consentText, redirectUrl, fullName } = texts;
  const modes = ground.fields.map(({ key }) => {
    const mode = requiredFields.includes(key) ? 'required' : fields.includes(key) ? 'optional' : 'hidden';
    return [`ask.${key}`, mode];
  });
  const ticks = (of: string, tags: SignupFormView['tags']) => tags.map(({ id }) => [`${of}.${id}`, 'on']);
  return {
    ...{ name, title, language, intro, thanks, consentText, redirectUrl, fullName },
    ...(Object.fromEntries([...modes, ...ticks('topic', form.topics), ...ticks('tag', form.tags)]) as FormValues),
    ...(doubleOptIn && { doubleOptIn: 'on' }),
    allowedOrigins: allowedOrigins.join('\n'),
  };
}
