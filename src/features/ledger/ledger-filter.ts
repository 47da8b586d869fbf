/**
 * By how much the order of ids and times may differ: rows get their ids within their transaction, which takes far less.
 */
const SLACK = `interval '1 hour'`;

/**
 * SQL: the name of the mailing `m` as it was in the run of `t`. No join, which would have to be planned: with many events
 * Postgres then read all of them.
 */
export const MAILING_NAME = 'coalesce((SELECT r.mailing_name FROM runs r WHERE r.id = t.run_id), m.name)';

/** A column and the one value that is wanted. */
export type Pinned = [column: string, value: number | string];

/** The conditions of a list over one of the ledger's tables, called `t` in the statement, in id order. */
export class LedgerFilter {
  readonly params: unknown[] = [];
  private readonly conditions: string[] = [];

  constructor(private readonly table: 'attempts' | 'delivery_events') {}

  /** Adds a condition, unless the value is absent. @param condition SQL for the value's parameter, such as `$3` */
  where(condition: (n: string) => string, value: unknown): void {
    if (value !== undefined && value !== null) this.conditions.push(condition(`$${this.params.push(value)}`));
  }

  /** Adds a condition whose values are among the parameters already. */
  and(condition: string): void {
    this.conditions.push(condition);
  }

  /**
   * Only rows that have these values, said as a range: Postgres drops a column from the order if it knows that it is
   * always the same, and then chooses among more indexes than the one that begins with these columns.
   */
  pin(pinned: readonly Pinned[]): void {
    if (pinned.length === 0) return;
    const columns = pinned.map(([column]) => `t.${column}`).join(', ');
    const values = pinned.map(([, value]) => `$${this.params.push(value)}`).join(', ');
    this.conditions.push(`(${columns}) >= (${values}) AND (${columns}) <= (${values})`);
  }

  /** The list is in id order: times become bounds for ids, so that a page reads no rows outside of the range. */
  between(from: Date | undefined, to: Date | undefined): void {
    this.where((n) => `t.created_at >= ${n} AND t.id >= ${this.firstIdAt(`${n}::timestamptz - ${SLACK}`)}`, from);
    this.where((n) => `t.created_at < ${n} AND t.id <= ${this.firstIdAt(`${n}::timestamptz + ${SLACK}`)}`, to);
  }

  get sql(): string {
    return this.conditions.length > 0 ? this.conditions.join(' AND ') : 'true';
  }

  private firstIdAt(time: string): string {
    return `coalesce((SELECT f.id FROM ${this.table} f WHERE f.created_at >= ${time} ORDER BY f.created_at LIMIT 1),
      ${2n ** 63n - 1n})`;
  }
}
