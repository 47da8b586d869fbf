import { CONDITIONS_MAX, FILTER_DEPTH_MAX, operators, type SegmentFilter } from '../../domain/segment-filter';
import { type Kind, named, type Schema } from '../openapi/shape';

const SELF = { $ref: '#/components/schemas/SegmentFilter' };
const group = (name: string, inner: Schema): Schema => ({
  type: 'object',
  properties: { [name]: inner },
  required: [name],
  additionalProperties: false,
});

/** A filter over clients: groups of conditions, as audience.md describes them. */
export const FILTER_SCHEMA = named('SegmentFilter', {
  description:
    `A condition, or a group of filters: all of them, any of them, not the one. At most ${FILTER_DEPTH_MAX} groups ` +
    `within each other and ${CONDITIONS_MAX} conditions.`,
  oneOf: [
    group('all', { type: 'array', minItems: 1, items: SELF }),
    group('any', { type: 'array', minItems: 1, items: SELF }),
    group('not', SELF),
    {
      type: 'object',
      properties: {
        field: {
          type: 'string',
          description:
            'email, domain, fullName, comment, createdAt, tag, subscription, received, notReceived, lastResult or ' +
            'fields.KEY for a field of your own.',
        },
        op: { type: 'string', enum: operators },
        value: {
          description:
            'As the field wants it; a list for isOneOf, a number of days for inLastDays and notInLastDays, ' +
            '{ mailingId?, days? } for received and notReceived, absent for isSet and isNotSet.',
        },
      },
      required: ['field'],
      additionalProperties: false,
    },
  ],
});

export const filterValue: Kind<SegmentFilter> = { schema: FILTER_SCHEMA };
