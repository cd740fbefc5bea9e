/** The statements of a file, and those around a place. */
import type { Body, Declaration, SourceFile, Statement } from "../../grammar/ast.js";
import { bodiesOf } from "../../grammar/bodies.js";

export function* statementsIn(file: SourceFile): Generator<Statement> {
  for (const { body } of file.declarations) if (body) yield* inside(body);
}

function* inside(body: Body): Generator<Statement> {
  for (const statement of body.statements) {
    yield statement;
    for (const each of bodiesOf(statement)) yield* inside(each);
  }
}

/** The declaration at a place, with its doc comment. */
export function declarationAt(file: SourceFile, offset: number): Declaration | undefined {
  return file.declarations.find(({ span, docSpan }) => (docSpan ?? span).start <= offset && offset <= span.end);
}

/** The statements around a place, outermost first. */
export function statementsAt(file: SourceFile, offset: number): Statement[] {
  const found: Statement[] = [];
  let bodies: readonly Body[] = file.declarations.flatMap(({ body }) => body ?? []);
  for (;;) {
    const around = bodies.find(({ span }) => span.start <= offset && offset <= span.end);
    const statement = around?.statements.find(({ span }) => span.start <= offset && offset <= span.end);
    if (!statement) return found;
    found.push(statement);
    bodies = bodiesOf(statement);
  }
}
