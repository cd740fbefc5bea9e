/** `let`, `assert`, `if` and `for`, which mean the same in every body; all other statements are handed over. */
import type { Body, For, If, Input, Stage, Statement, Use } from "../../grammar/ast.js";
import type { Environment } from "./environment.js";
import { checkAssertion, evaluate, evaluateBoolean, wrongType } from "./evaluate.js";
import { isUnknown, listOf } from "./lists.js";
import { fail, type Site } from "./site.js";
import { UNKNOWN } from "./values.js";

/** How bodies of one kind are gone through. `C` is the context of a statement. */
export interface Walk<C extends { readonly environment: Environment }> {
  site(context: C): Site;
  /** The same context in braces of its own: names declared there end there. */
  inner(context: C): C;
  /** After a condition or a list whose value is not known, because of an error that was reported. */
  lost?(context: C): void;
  /** After an assertion that failed; `stop` where what follows relies on it: the body ends there. */
  failed?(context: C): "stop";
  /** A labelled loop: what its turns give is kept. Absent where nothing gives anything, and there it is an error. */
  collect?(statement: For, context: C): Turns<C>;
  other(statement: Stage | Input | Use, context: C): void;
}

/** What becomes of a labelled loop's turns. */
export interface Turns<C> {
  /** Where the next one stands: braces around it, in which its variable is known. */
  begin(): C;
  end(turn: C): void;
  finish(): void;
}

/** Carries out the statements one after the other. */
export function walk<C extends { readonly environment: Environment }>(body: Body, context: C, how: Walk<C>): void {
  const { reporter, chain } = how.site(context);
  reporter.budget.enter(body.span, chain);
  for (const statement of body.statements) {
    if (run(statement, context, how) === "stop") break;
  }
  reporter.budget.leave();
}

/** What a statement takes of the budget, or another turn of one. */
const STEPS = 2;

function run<C extends { readonly environment: Environment }>(
  statement: Statement,
  context: C,
  how: Walk<C>,
): "stop" | void {
  const site = how.site(context);
  site.reporter.budget.spend(STEPS, statement.span, site.chain);
  switch (statement.kind) {
    case "let":
      context.environment.set(statement.name.text, evaluate(statement.value, site), statement.name.span);
      return;
    case "assert":
      return checkAssertion(statement, site) ? undefined : how.failed?.(context);
    case "if":
      return runIf(statement, context, how);
    case "for":
      return runFor(statement, context, how);
    default:
      return how.other(statement, context);
  }
}

function runIf<C extends { readonly environment: Environment }>(statement: If, context: C, how: Walk<C>): void {
  const condition = evaluateBoolean(statement.condition, how.site(context));
  if (condition === undefined) return how.lost?.(context);
  const chosen = condition ? statement.then : statement.else;
  if (chosen?.kind === "body") walk(chosen, how.inner(context), how);
  else if (chosen) runIf(chosen, context, how);
}

function runFor<C extends { readonly environment: Environment }>(statement: For, context: C, how: Walk<C>): void {
  const site = how.site(context);
  const { label, variable } = statement;
  const over = evaluate(statement.over, site);
  const items = isUnknown(over) ? undefined : listOf(over);
  if (!items) {
    wrongType("a range such as `1 .. n` or a list", over, statement.over.span, site);
    // What the loop would have given is not a name that nobody has heard of.
    if (label) context.environment.set(label.text, UNKNOWN, label.span);
    return how.lost?.(context);
  }
  if (label && !how.collect) {
    fail(
      site,
      "misplaced-statement",
      label.span,
      "a loop has a label where layers are: its turns give something there",
    );
  }
  const turns = label && how.collect?.(statement, context);
  for (const item of items) {
    site.reporter.budget.spend(STEPS, statement.span, site.chain);
    const around = turns ? turns.begin() : how.inner(context);
    around.environment.set(variable.text, item, variable.span);
    // Labels of a turn are its own, its variable is not.
    const turn = turns ? how.inner(around) : around;
    walk(statement.body, turn, how);
    turns?.end(turn);
  }
  turns?.finish();
}
