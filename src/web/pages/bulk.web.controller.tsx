import { Get, Post } from '@nestjs/common';
import { bulkActions, takesTags } from '../../domain/bulk';
import { stoppableOwner, type Viewer } from '../../domain/permissions';
import { subscriptionStatuses } from '../../domain/subscription';
import { tagsOf } from '../../domain/tag-names';
import { SegmentsService } from '../../features/audiences/segments.service';
import { type BulkJobView, BulkJobs } from '../../features/clients/bulk-jobs.service';
import { ClientsService } from '../../features/clients/clients.service';
import type { ClientFilter } from '../../features/clients/client-list';
import { Id } from '../../http/id.pipe';
import { CurrentViewer } from '../../http/viewer';
import { emptyForm, fragment, page, redirect, type WebAnswer } from '../answers';
import { submit } from '../forms';
import { CurrentReader } from '../readers.service';
import type { Reader } from '../reader';
import { Form, type FormValues, oneOf, WebController, wholeNumber } from '../web-controller';
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
  ): Promise<WebAnswer> {
    const action = oneOf(bulkActions, form.action) ?? 'tag';
    const choice = choiceOf(form);
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
        const whom = choice.filter
          ? { filter: choice.filter, all: form['by.all'] === '1' }
          : { clientIds: choice.clientIds };
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

/** The fields of the list's form, or of the question: `c7` for the client 7, `by.search` and so on for its filter. */
function choiceOf(form: FormValues): BulkChoice {
  const isAll = form.whom === 'all';
  const ticked = Object.keys(form).flatMap((name) => (name.startsWith('c') ? (wholeNumber(name.slice(1)) ?? []) : []));
  const kept = Object.fromEntries(
    Object.entries(form).filter(([name]) => /^(c\d+|by\.[a-zA-Z]+|whom|action)$/.test(name)),
  );
  // Whoever chose all that the list finds did not choose the ticked ones, also if the filter can't be read.
  return { clientIds: isAll ? [] : ticked, filter: isAll ? filterOf(form) : null, kept };
}

const FILTERS = ['search', 'tag', 'subscription', 'segmentId'] as const;

/**
 * What the list was narrowed by, or null if it can't be read: then nobody is meant, rather than everybody. All clients
 * are meant only by a field of its own, which an unfiltered list has.
 */
function filterOf(form: FormValues): ClientFilter | null {
  const { 'by.search': search, 'by.tag': tag } = form;
  const subscription = oneOf(subscriptionStatuses, form['by.subscription']);
  const segmentId = wholeNumber(form['by.segmentId']);
  const filter = {
    ...(search?.trim() && { search }),
    ...(tag?.trim() && { tag }),
    ...(subscription && { subscription }),
    ...(segmentId && { segmentId }),
  };
  const named = FILTERS.filter((name) => form[`by.${name}`] !== undefined);
  if (named.some((name) => filter[name] === undefined)) return null;
  return named.length > 0 || form['by.all'] === '1' ? filter : null;
}
