import { domainOf, GRAVEST_FIRST } from '../consent/suppression-sql';
import { literal, searched } from '../../database/search';
import {
  type Condition,
  CONTRARY,
  isBuiltIn,
  type Operator,
  ownKey,
  receiptOf,
  type SegmentFilter,
  valuesOf,
} from '../../domain/segment-filter';
import { STATUS_OF } from '../../domain/subscription';

/** By which calendar and at what time a filter is asked. */
export interface FilterClock {
  /** The owner's: its days are those of `createdAt` and of "in the last days". */
  timeZone: string;
  /** The present, if it is null. */
  now: Date | null;
}

/**
 * SQL: whether the client `c` belongs to a segment; never null. Pushes its values onto the statement's parameters: no
 * value, key or name is ever part of the text. The filter is one that was checked (domain/segment-filter-check.ts).
 *
 * A condition is true, false or, for a client without a value, null. "Not" is pushed down to the conditions, so that
 * null counts as false there: "is not X" and "not (is X)" hold for those without a value.
 */
export function segmentSql(filter: SegmentFilter, clock: FilterClock, params: unknown[]): string {
  return new Compiler(clock, params).part(filter, false);
}

const SUBSCRIPTION = `CASE WHEN c.unconfirmed_since IS NOT NULL THEN 'unconfirmed' ELSE coalesce((SELECT CASE s.reason
    ${Object.entries(STATUS_OF)
      .map(([reason, name]) => `WHEN '${reason}' THEN '${name}'`)
      .join(' ')} ELSE 'suppressed' END
  FROM suppressions s WHERE s.email_key = lower(c.email) AND s.lifted_at IS NULL AND s.mailing_id IS NULL
   AND (s.owner_id = c.owner_id OR s.owner_id IS NULL) AND (s.expires_at IS NULL OR s.expires_at > app_now())
  ORDER BY ${GRAVEST_FIRST} LIMIT 1), 'subscribed') END`;

/** A client has one delivery in a run, and later runs have greater ids: one look at the end of an index. */
const LAST_RESULT = `(SELECT d.status FROM deliveries d WHERE d.client_id = c.id
   AND d.status IN ('sent', 'failed', 'unknown', 'skipped', 'cancelled') ORDER BY d.run_id DESC LIMIT 1)`;

const COMPARED = { lt: '<', lte: '<=', gt: '>', gte: '>=' } as const;
const TEXTS: Record<string, string> = {
  email: 'c.email',
  domain: domainOf('c.email'),
  fullName: 'c.full_name',
  comment: 'c.comment',
};

class Compiler {
  constructor(
    private readonly clock: FilterClock,
    private readonly params: unknown[],
  ) {}

  part(filter: SegmentFilter, negated: boolean): string {
    if ('not' in filter) return this.part(filter.not, !negated);
    if ('all' in filter) return this.joined(filter.all, negated ? 'OR' : 'AND', negated);
    if ('any' in filter) return this.joined(filter.any, negated ? 'AND' : 'OR', negated);
    return this.condition(filter, negated);
  }

  private joined(parts: readonly SegmentFilter[], word: 'AND' | 'OR', negated: boolean): string {
    return `(${parts.map((part) => this.part(part, negated)).join(` ${word} `)})`;
  }

  private condition(given: Condition, negated: boolean): string {
    if (given.field === 'received' || given.field === 'notReceived') {
      const exists = this.received(given);
      return (given.field === 'received') !== negated ? exists : `NOT ${exists}`;
    }
    const contrary = CONTRARY[given.op as keyof typeof CONTRARY] as Operator | undefined;
    const says = contrary ? { ...given, op: contrary } : given;
    const isNegated = negated !== (contrary !== undefined);
    if (says.field === 'tag') return `${isNegated ? 'NOT ' : ''}${this.tagged(says)}`;
    const sql = this.positive(says);
    return isNegated ? `(${sql}) IS NOT TRUE` : `coalesce(${sql}, false)`;
  }

  private positive(condition: Condition): string {
    const { field, op } = condition;
    if (field === 'createdAt') return this.createdAt(condition);
    if (field === 'subscription') return this.oneOf(SUBSCRIPTION, condition);
    if (field === 'lastResult')
      return op === 'isSet' ? `${LAST_RESULT} IS NOT NULL` : this.oneOf(LAST_RESULT, condition);
    if (isBuiltIn(field)) {
      const text = TEXTS[field] ?? 'NULL::text';
      return op === 'isSet' ? `${text} <> ''` : this.text(text, condition);
    }
    return this.own(condition);
  }

  /** A field whose definition was deleted, or whose clients have values of another type, matches nobody. */
  private own(condition: Condition): string {
    const key = `${this.param(ownKey(condition.field) ?? '')}::text`;
    const value = `(c.fields ->> ${key})`;
    const { op } = condition;
    const [first] = valuesOf(condition);
    if (op === 'isSet') return `c.fields ? ${key}`;
    if (op === 'before' || op === 'after')
      return `${value} COLLATE "C" ${op === 'before' ? '<' : '>'} ${this.param(first)}::text`;
    if (op === 'inLastDays') {
      const today = `(${this.now()} AT TIME ZONE ${this.zone()})::date`;
      const begin = `to_char(${today} - ${this.param(first)}::int, 'YYYY-MM-DD')`;
      return `${value} COLLATE "C" BETWEEN ${begin} AND to_char(${today}, 'YYYY-MM-DD')`;
    }
    if (typeof first === 'boolean') return `c.fields -> ${key} = to_jsonb(${this.param(first)}::boolean)`;
    if (typeof first !== 'number') return this.text(value, condition);
    const number = `CASE jsonb_typeof(c.fields -> ${key}) WHEN 'number' THEN ${value}::numeric END`;
    if (op === 'is' || op === 'isOneOf')
      return `${number} = ANY(${this.param(valuesOf(condition).map(String))}::numeric[])`;
    return `${number} ${COMPARED[op as keyof typeof COMPARED]} ${this.param(String(first))}::numeric`;
  }

  private text(sql: string, condition: Condition): string {
    const values = valuesOf(condition).map(String);
    const [first = ''] = values;
    const like = (pattern: string) => `${searched(sql)} LIKE ${searched(`${this.param(pattern)}::text`)}`;
    if (condition.op === 'contains') return like(`%${literal(first)}%`);
    if (condition.op === 'startsWith') return like(`${literal(first)}%`);
    if (condition.op === 'endsWith') return like(`%${literal(first)}`);
    return `${searched(sql)} IN (${values.map((each) => searched(`${this.param(each)}::text`)).join(', ')})`;
  }

  private oneOf(sql: string, condition: Condition): string {
    return `${sql} = ANY(${this.param(valuesOf(condition).map(String))}::text[])`;
  }

  /** Days are those of the owner's calendar; a moment is compared as such. */
  private createdAt(condition: Condition): string {
    const { op } = condition;
    const value = String(valuesOf(condition)[0]);
    if (op === 'isSet') return 'true';
    if (op === 'inLastDays') return `c.created_at >= ${this.since(Number(value))}`;
    if (value.length > 10)
      return `c.created_at ${op === 'before' ? '<' : '>'} ${this.param(new Date(value))}::timestamptz`;
    const day = this.param(value);
    const zone = this.zone();
    const [begin, end] = ['', ' + 1'].map((more) => `(${day}::date${more})::timestamp AT TIME ZONE ${zone}`);
    if (op === 'before') return `c.created_at < ${begin}`;
    return op === 'after' ? `c.created_at >= ${end}` : `(c.created_at >= ${begin} AND c.created_at < ${end})`;
  }

  private tagged(condition: Condition): string {
    const which = condition.op === 'isSet' ? '' : ` AND ct.tag_id = ANY(${this.param(valuesOf(condition))}::bigint[])`;
    return `EXISTS (SELECT FROM client_tags ct WHERE ct.client_id = c.id${which})`;
  }

  private received(condition: Condition): string {
    const { mailingId, days } = receiptOf(condition);
    const lately = days === undefined ? '' : ` AND d.updated_at >= ${this.since(days)}`;
    const of =
      mailingId === undefined
        ? ''
        : ` AND EXISTS (SELECT FROM runs r WHERE r.id = d.run_id AND r.mailing_id = ${this.param(mailingId)}::bigint)`;
    return `EXISTS (SELECT FROM deliveries d WHERE d.client_id = c.id AND d.status = 'sent'${lately}${of})`;
  }

  private since(days: number): string {
    return `${this.now()} - ${this.param(days)}::int * interval '24 hours'`;
  }

  private now(): string {
    return this.clock.now === null ? 'app_now()' : `${this.param(this.clock.now)}::timestamptz`;
  }

  private zone(): string {
    return `${this.param(this.clock.timeZone)}::text`;
  }

  private param(value: unknown): string {
    return `$${this.params.push(value)}`;
  }
}
