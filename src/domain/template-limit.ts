import { english } from './problem-texts';
import { type CodedProblem, problem, type TemplateBound } from './problems';

/** A template, or a letter rendered from it, exceeds a limit. */
export class TemplateLimit extends Error {
  readonly problem: CodedProblem<'template_limit'>;

  constructor(bound: TemplateBound, max?: number) {
    const found = problem('template_limit', { bound, ...(max && { max }) });
    super(english(found));
    this.problem = found;
  }
}
