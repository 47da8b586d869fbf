import { Get, HttpCode, Post } from '@nestjs/common';
import { type Viewer, writableOwner } from '../../domain/permissions';
import { COUNT_MS } from '../../features/audiences/segment-count.service';
import { SegmentsService, type SegmentView } from '../../features/audiences/segments.service';
import { SegmentDeletion } from '../../features/mailings/segment-deletion.service';
import { Id } from '../../http/id.pipe';
import { CurrentViewer } from '../../http/viewer';
import { emptyForm, type FormState, fragment, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { opened, type Opened, versionOf } from '../kept-form';
import { changed, fieldsOf, filterOf, type Groups, groupsIn, groupsOf, newRow, placed } from '../segment-form';
import { fieldProblems } from '../texts/texts';
import { Ask, Form, type FormValues, WebController, wholeNumber } from '../web-controller';
import { CountBox, SegmentFormPage } from './segment-form.page';
import { SegmentParts } from './segment-parts.service';
import { SegmentPage, SegmentsPage } from './segments.page';

/** Segments: the list, one segment, and the form that makes and changes them. */
@WebController('segments')
export class SegmentsWebController {
  constructor(
    private readonly segments: SegmentsService,
    private readonly deletion: SegmentDeletion,
    private readonly parts: SegmentParts,
  ) {}

  @Get()
  async list(@CurrentViewer() viewer: Viewer, @Ask() { search, cursor, ownerId }: FormValues): Promise<WebAnswer> {
    const owner = wholeNumber(ownerId);
    const segments = await this.segments.list(viewer, {
      limit: 50,
      withTotal: true,
      ...(owner && { ownerId: owner }),
      ...(search && { search }),
      ...(cursor && { cursor }),
    });
    const names = await this.parts.namesOf(segments.items);
    return page((t) => t.segments.title, <SegmentsPage segments={segments} names={names} />);
  }

  @Get('new')
  async blank(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader): Promise<WebAnswer> {
    const { fields } = await this.segments.names(viewer.userId, []);
    const state = opened(reader, fieldsOf([{ match: 'all', rows: [newRow(fields)] }]));
    return this.form(viewer, reader, state, groupsIn(state.values, fields));
  }

  @Post('new')
  create(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Form() form: FormValues) {
    return this.save(viewer, reader, form, undefined, async (filter) => {
      const made = await this.segments.create(viewer, { name: form.name ?? '', filter });
      return redirect(`/segments/${made.id}`, 'saved');
    });
  }

  /** The form with another row or group, or with who belongs to it. Saves nothing. */
  @Post('form')
  @HttpCode(200)
  async again(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
    @Ask() { do: what }: FormValues,
  ): Promise<WebAnswer> {
    const segment = await this.segmentOf(viewer, form);
    const { fields } = await this.segments.names(segment?.ownerId ?? viewer.userId, []);
    const groups = changed(groupsIn(form, fields), what ?? '', fields);
    return this.form(viewer, reader, emptyForm(form), groups, segment, what === undefined);
  }

  /** Who belongs to the filter of a form, while it is being filled in. */
  @Post('count')
  @HttpCode(200)
  async count(@CurrentViewer() viewer: Viewer, @Form() form: FormValues, @Ask() { patient }: FormValues) {
    const segment = await this.segmentOf(viewer, form);
    const ownerId = segment?.ownerId ?? viewer.userId;
    const { fields } = await this.segments.names(ownerId, []);
    const { filter } = filterOf(groupsIn(form, fields), fields);
    if (patient) return fragment(<CountBox {...await this.parts.countPatiently(viewer, filter, ownerId)} />);
    return fragment(<CountBox count={(await this.parts.count(viewer, filter, ownerId)).count} />);
  }

  @Get(':id')
  async show(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    const segment = await this.segments.get(viewer, id);
    const { ownerId, filter } = segment;
    const named = await this.segments.named(ownerId, filter);
    const [names, { count }, mailings] = await Promise.all([
      this.segments.names(ownerId, [filter]),
      this.parts.count(viewer, named, ownerId),
      this.segments.mailingsOf(id),
    ]);
    const mayChange = this.mayChange(viewer, segment);
    const isOwn = ownerId === viewer.userId;
    return page(
      () => segment.name,
      <SegmentPage {...{ segment, names, mailings, mayChange, isOwn }} count={count ?? { count: null, sample: [] }} />,
    );
  }

  /** The count of a saved segment, with much time. */
  @Get(':id/count')
  async countSaved(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    const { ownerId, filter } = await this.segments.get(viewer, id);
    const named = await this.segments.named(ownerId, filter);
    return fragment(<CountBox {...await this.parts.countPatiently(viewer, named, ownerId)} of={id} />);
  }

  @Get(':id/edit')
  async edit(@CurrentViewer() viewer: Viewer, @CurrentReader() reader: Reader, @Id() id: number): Promise<WebAnswer> {
    const segment = await this.segments.get(viewer, id);
    const { fields } = await this.segments.names(segment.ownerId, []);
    const state = opened(reader, await this.valuesOf(segment), segment.version);
    return this.form(viewer, reader, state, groupsIn(state.values, fields), segment, true);
  }

  @Post(':id/edit')
  async update(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Id() id: number,
    @Form() form: FormValues,
  ): Promise<WebAnswer> {
    const segment = await this.segments.get(viewer, id);
    return this.save(viewer, reader, form, segment, async (filter) => {
      await this.segments.update(viewer, id, { name: form.name ?? '', filter, ...versionOf(form) });
      return redirect(`/segments/${id}`, 'saved');
    });
  }

  @Post(':id/delete')
  async delete(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.deletion.delete(viewer, id);
    return redirect('/segments', 'deleted');
  }

  private async save(
    viewer: Viewer,
    reader: Reader,
    form: FormValues,
    segment: SegmentView | undefined,
    work: (filter: unknown) => Promise<WebAnswer>,
  ): Promise<WebAnswer> {
    const { fields } = await this.segments.names(segment?.ownerId ?? viewer.userId, []);
    const groups = groupsIn(form, fields);
    const { filter, places } = filterOf(groups, fields);
    // The conditions as `valuesOf` has them, so that the two can be compared.
    const others = Object.entries(form).filter(([name]) => !/^g\d+\./.test(name));
    return submit(
      reader,
      { ...Object.fromEntries(others), ...fieldsOf(groups) },
      () => work(filter),
      (state) => {
        const again = state.meanwhile ? groupsIn(state.values, fields) : groups;
        return this.form(viewer, reader, { ...state, problems: placed(state.problems, places) }, again, segment, false);
      },
      segment && (async () => this.now(viewer, segment.id)),
    );
  }

  /** @param isChecked whether it shows at once what is wrong, and who belongs to it */
  private async form(
    viewer: Viewer,
    reader: Reader,
    state: FormState,
    groups: Groups,
    segment?: SegmentView,
    isChecked = false,
  ): Promise<WebAnswer> {
    const ownerId = segment?.ownerId ?? viewer.userId;
    const shown = await this.parts.ofForm(ownerId, groups);
    const { filter, places } = filterOf(groups, shown.names.fields);
    const checked = isChecked ? await this.parts.count(viewer, filter, ownerId, COUNT_MS.asked) : null;
    const problems = checked?.error ? placed(fieldProblems(checked.error, reader.t), places) : state.problems;
    return page(
      (t) => (segment ? t.segments.edit : t.segments.new),
      <SegmentFormPage
        {...shown}
        groups={groups}
        form={{ ...state, problems }}
        count={checked?.count ?? null}
        {...(segment && { segment })}
      />,
    );
  }

  private async now(viewer: Viewer, id: number): Promise<Opened> {
    const segment = await this.segments.get(viewer, id);
    return { values: await this.valuesOf(segment), version: segment.version };
  }

  private async valuesOf({ id, name, ownerId, filter }: SegmentView): Promise<FormValues> {
    const groups = groupsOf(await this.segments.named(ownerId, filter));
    return { name, segmentId: String(id), ...fieldsOf(groups) };
  }

  private async segmentOf(viewer: Viewer, { segmentId }: FormValues): Promise<SegmentView | undefined> {
    const id = wholeNumber(segmentId);
    return id ? this.segments.get(viewer, id) : undefined;
  }

  private mayChange(viewer: Viewer, { ownerId }: SegmentView): boolean {
    const owner = writableOwner(viewer);
    return owner === null || owner === ownerId;
  }
}
