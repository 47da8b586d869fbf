import { TypeGuards, Value, type Template, type Token } from 'liquidjs';

type Argument = Value | Token;

/** The operands of a tag or an output, those within others too: literals, ranges and variables. */
export function* operandsOf(template: Template): Generator<Token> {
  for (const argument of template.arguments?.() ?? []) yield* operands(argument);
}

function* operands(argument: Argument): Generator<Token> {
  if (argument instanceof Value) {
    for (const token of argument.initial.postfix) yield* operands(token);
    for (const filter of argument.filters)
      for (const arg of filter.args) yield* operands((Array.isArray(arg) ? arg[1] : arg) as Token);
    return;
  }
  yield argument;
  if (TypeGuards.isRangeToken(argument)) {
    yield* operands(argument.lhs);
    yield* operands(argument.rhs);
  } else if (TypeGuards.isPropertyAccessToken(argument)) {
    if (argument.variable) yield* operands(argument.variable);
    for (const prop of argument.props) yield* operands(prop);
  }
}

const costs = new WeakMap<Template[], number>();

/**
 * The cost in steps of rendering a list of tags, outputs and texts once, without the lists nested in them: every node,
 * operand, operator and filter counts one, evaluated or not. At least one, for a loop with an empty body.
 */
export function costOf(templates: Template[]): number {
  let cost = costs.get(templates);
  if (cost === undefined) {
    cost = 1;
    for (const template of templates) {
      cost++;
      for (const argument of template.arguments?.() ?? [])
        if (argument instanceof Value) cost += argument.filters.length;
      for (const operand of operandsOf(template)) if (operand) cost++;
    }
    costs.set(templates, cost);
  }
  return cost;
}
