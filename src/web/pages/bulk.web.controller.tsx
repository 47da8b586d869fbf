import { Get, Post } from '@nestjs/common';
import { bulkActions, takesTags } from '../../domain/bulk';
import { stoppableOwner, type Viewer } from '../../domain/permissions';
import { tagsOf } from '../../domain/tag-names';
import { SegmentsService } from '../../features/audiences/segments.service';
import { type BulkJobView, BulkJobs } from '../../features/clients/bulk-jobs.service';
import { ClientsService } from '../../features/clients/clients.service';
import { Id } from '../../http/id.pipe';
import { CurrentViewer } from '../../http/viewer';
import { emptyForm, fragment, page, redirect, type WebAnswer } from '../answers';
import { clientFilter, unreadIn } from '../client-filter';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Ask, Form, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
import { type BulkChoice, BulkPage, JobLive, JobPage, JobsPage } from './bulk.page';

/** How many of those that are ticked the question names. */
const NAMED = 10;

/** Something done to many clients of the list, and how far it is. */
@WebController('clients')
export class BulkWebController {
  constructor(
    private readonly bulk: BulkJobs,
    private readonly clients: ClientsService,
    private readonly segments: SegmentsService,
  ) {}

  @Post('bulk')
  async begin(
    @CurrentViewer() viewer: Viewer,
    @CurrentReader() reader: Reader,
    @Form() form: FormValues,
    @Ask() query: FormValues,
  ): Promise<WebAnswer> {
    const action = oneOf(bulkActions, form.action) ?? 'tag';
    const choice = choiceOf(form, query);
    const tags = takesTags(action) ? tagsOf(form.tags ?? '') : [];
    const ask = async (state: Parameters<typeof BulkPage>[0]['form']) => {
      const emails = await this.clients.emails(viewer, choice.clientIds.slice(0, NAMED));
      const segmentId = choice.filter?.segmentId;
      const segment = segmentId ? (await this.segments.get(viewer, segmentId)).name : undefined;
      return page(({ bulk }) => bulk.title, <BulkPage {...{ action, choice, emails, segment }} form={state} />);
    };
    // Tags are given at once: that harms nobody, and is taken back as easily.
    const isNobody = choice.filter === null && choice.clientIds.length === 0;
    const isClear = !isNobody && (form.sure === '1' || (takesTags(action) && tags.length > 0));
    if (!isClear) return ask({ ...emptyForm(), values: form });
    return submit(
      reader,
      form,
      async () => {
        const { filter, clientIds } = choice;
        const whom = filter ? { filter, all: Object.keys(filter).length === 0 } : { clientIds };
        const { jobId } = await this.bulk.begin(viewer, { action, tags, ...whom });
        return redirect(`/clients/jobs/${jobId}`);
      },
      ask,
    );
  }

  @Get('jobs')
  async list(@CurrentViewer() viewer: Viewer): Promise<WebAnswer> {
    const { items } = await this.bulk.list(viewer, { limit: 50 });
    return page(({ bulk }) => bulk.jobs, <JobsPage jobs={items} />);
  }

  @Get('jobs/:id')
  async show(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    const job = await this.bulk.get(viewer, id);
    return page(({ bulk }) => bulk.actions[job.action], <JobPage job={job} mayStop={mayStop(viewer, job)} />);
  }

  @Get('jobs/:id/live')
  async live(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    return fragment(<JobLive job={await this.bulk.get(viewer, id)} />);
  }

  @Post('jobs/:id/stop')
  async stop(@CurrentViewer() viewer: Viewer, @Id() id: number): Promise<WebAnswer> {
    await this.bulk.stop(viewer, id);
    return redirect(`/clients/jobs/${id}`, 'saved');
  }
}

function mayStop(viewer: Viewer, { ownerId }: BulkJobView): boolean {
  const owner = stoppableOwner(viewer);
  return owner === null || owner === ownerId;
}

const BY = 'by.';

/**
 * The fields of the list's form, or of the question: `c7` for the client 7, `by.search` and so on for its filter, `by.all`
 * for a list without one. A filter that can't be read, or that stands in the address, means nobody, rather than more
 * clients than were meant.
 */
function choiceOf(form: FormValues, query: FormValues): BulkChoice {
  const kept = Object.fromEntries(
    Object.entries(form).filter(([name]) => /^(c\d+|whom|action)$/.test(name) || name.startsWith(BY)),
  );
  if (form.whom !== 'all') {
    const ticked = Object.keys(form).flatMap((name) =>
      name.startsWith('c') ? (wholeNumber(name.slice(1)) ?? []) : [],
    );
    return { clientIds: ticked, filter: null, unread: [], kept };
  }
  const by = Object.entries(form).flatMap(([name, value]) =>
    name.startsWith(BY) ? [[name.slice(BY.length), value] as const] : [],
  );
  const { all, ...asked } = Object.fromEntries(by);
  const unread = [...Object.keys(query), ...unreadIn(asked)];
  const isAsked = all === '1' || Object.keys(asked).length > 0;
  return { clientIds: [], filter: isAsked && unread.length === 0 ? clientFilter(asked) : null, unread, kept };
}
