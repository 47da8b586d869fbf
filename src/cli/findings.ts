import type { ToldFinding } from '../domain/errors';

const LEVEL = { block: 'BLOCKS', warn: 'warning', unknown: 'not known' } as const;

/** What the check before letters go out found, a line for each, and one for a DNS record that is to be published. */
export const findingLines = (findings: readonly ToldFinding[]): string[] =>
  findings.flatMap(({ level, message, values: { name, record } }) => [
    `${LEVEL[level]}: ${message}`,
    ...(name !== undefined && record !== undefined ? [`  publish: ${name} TXT "${record}"`] : []),
  ]);
