import { subscriptionStatuses } from '../domain/subscription';
import { CLIENT_FILTERS, type ClientFilter } from '../features/clients/client-list';
import { type FormValues, oneOf, wholeNumber } from './web-controller';

/** What the list of clients is narrowed by: of the parameters of its address those that can be read. */
export function clientFilter({ search, searchIn, tag, subscription, segmentId }: FormValues): ClientFilter {
  const status = oneOf(subscriptionStatuses, subscription);
  const segment = wholeNumber(segmentId);
  return {
    ...(search?.trim() && { search, ...(searchIn === 'all' && { searchIn }) }),
    ...(tag?.trim() && { tag }),
    ...(status && { subscription: status }),
    ...(segment && { segmentId: segment }),
  };
}

/** The names of the parameters that narrow nothing, because they are unknown or can't be read. */
export function unreadIn(asked: FormValues): string[] {
  const filter = clientFilter(asked);
  return Object.keys(asked).filter((name) => !CLIENT_FILTERS.some((known) => known === name && filter[known]));
}
