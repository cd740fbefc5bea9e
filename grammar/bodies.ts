/** The braces of declarations and statements. */
import type { Body, Declaration, If, Import, Stage, Statement } from "./ast.js";

/** Those that have statements of their own, in order; of an `if` with its `else`s. */
export function bodiesOf(element: Import | Declaration | Statement): readonly Body[] {
  switch (element.kind) {
    case "declaration":
      return element.body === undefined ? [] : [element.body];
    case "stage":
    case "for":
      return [element.body];
    case "use":
      return element.bodies;
    case "if":
      return branches(element);
    default:
      return [];
  }
}

function branches(statement: If): readonly Body[] {
  const otherwise = statement.else;
  if (otherwise === undefined) return [statement.then];
  return [statement.then, ...(otherwise.kind === "if" ? branches(otherwise) : [otherwise])];
}

/** The stages of a body, those in its loops and branches too, in order. */
export function* stagesIn({ statements }: Body): Generator<Stage> {
  for (const statement of statements) {
    if (statement.kind === "stage") yield statement;
    else if (statement.kind === "for" || statement.kind === "if") {
      for (const body of bodiesOf(statement)) yield* stagesIn(body);
    }
  }
}
