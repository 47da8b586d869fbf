/**
 * By how much the order of ids and times may differ: rows get their ids within their transaction, which takes far less.
 */
const SLACK = `interval '1 hour'`;

/** The conditions of a list over one of the ledger's tables, called `t` in the statement, in id order. */
export class LedgerFilter {
  readonly params: unknown[] = [];
  private readonly conditions: string[] = [];

  constructor(private readonly table: 'attempts' | 'delivery_events') {}

  /** Adds a condition, unless the value is absent. @param condition SQL for the value's parameter, such as `$3` */
  where(condition: (n: string) => string, value: unknown): void {
    if (value !== undefined && value !== null) this.conditions.push(condition(`$${this.params.push(value)}`));
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
