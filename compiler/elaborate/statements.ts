/** `let`, `assert`, `if` and `for`, which mean the same in every body; all other statements are handed over. */
import type { Body, For, If, Input, Stage, Statement, Use } from "../../grammar/ast.js";
import type { Environment } from "./environment.js";
import { checkAssertion, evaluate, evaluateBoolean, fail, wrongType, type Site } from "./evaluate.js";
import { isUnknown, listOf } from "./lists.js";

/** How bodies of one kind are gone through. `P` is the place where a statement stands. */
export interface Walk<P extends { readonly environment: Environment }> {
  site(place: P): Site;
  /** The same place in braces of its own: names declared there end there. */
  inner(place: P): P;
  /** After a condition or a list whose value is not known, because of an error that was reported. */
  lost?(place: P): void;
  /** After an assertion that failed; `stop` where what follows relies on it: the body ends there. */
  failed?(place: P): "stop";
  /** A labelled loop: what its turns give is kept. Absent where nothing gives anything, and there it is an error. */
  collect?(statement: For, place: P): Turns<P>;
  other(statement: Stage | Input | Use, place: P): void;
}

/** What becomes of a labelled loop's turns. */
export interface Turns<P> {
  /** Where the next one stands: braces around it, in which its variable is known. */
  begin(): P;
  end(turn: P): void;
  finish(): void;
}

/** Carries out the statements one after the other. */
export function walk<P extends { readonly environment: Environment }>(body: Body, place: P, how: Walk<P>): void {
  const { reporter, chain } = how.site(place);
  reporter.budget.enter(body.span, chain);
  for (const statement of body.statements) {
    if (run(statement, place, how) === "stop") break;
  }
  reporter.budget.leave();
}

/** What a statement takes of the budget, or another turn of one. */
const STEPS = 2;

function run<P extends { readonly environment: Environment }>(
  statement: Statement,
  place: P,
  how: Walk<P>,
): "stop" | void {
  const site = how.site(place);
  site.reporter.budget.spend(STEPS, statement.span, site.chain);
  switch (statement.kind) {
    case "let":
      place.environment.set(statement.name.text, evaluate(statement.value, site), statement.name.span);
      return;
    case "assert":
      return checkAssertion(statement, site) ? undefined : how.failed?.(place);
    case "if":
      return runIf(statement, place, how);
    case "for":
      return runFor(statement, place, how);
    default:
      return how.other(statement, place);
  }
}

function runIf<P extends { readonly environment: Environment }>(statement: If, place: P, how: Walk<P>): void {
  const condition = evaluateBoolean(statement.condition, how.site(place));
  if (condition === undefined) return how.lost?.(place);
  const chosen = condition ? statement.then : statement.else;
  if (chosen?.kind === "body") walk(chosen, how.inner(place), how);
  else if (chosen) runIf(chosen, place, how);
}

function runFor<P extends { readonly environment: Environment }>(statement: For, place: P, how: Walk<P>): void {
  const site = how.site(place);
  const over = evaluate(statement.over, site);
  if (isUnknown(over)) return how.lost?.(place);
  const items = listOf(over);
  if (!items) return void wrongType("a range such as `1 .. n` or a list", over, statement.over.span, site);
  const { label, variable } = statement;
  if (label && !how.collect) {
    fail(
      site,
      "misplaced-statement",
      label.span,
      "a loop has a label where layers are: its turns give something there",
    );
  }
  const turns = label && how.collect?.(statement, place);
  for (const item of items) {
    site.reporter.budget.spend(STEPS, statement.span, site.chain);
    const around = turns ? turns.begin() : how.inner(place);
    around.environment.set(variable.text, item, variable.span);
    // Labels of a turn are its own, its variable is not.
    const turn = turns ? how.inner(around) : around;
    walk(statement.body, turn, how);
    turns?.end(turn);
  }
  turns?.finish();
}
