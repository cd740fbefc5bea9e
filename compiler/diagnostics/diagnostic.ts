import type { Span } from "../../grammar/ast.js";
import type { Code, Severity } from "./codes.js";

/** A second place that explains the first: where the other operand ends, where a name was declared. */
export interface Note {
  readonly message: string;
  readonly span?: Span;
}

/** One link of the chain that led to a layer: `network ResNet50`, `stage conv3`, `block bottleneck`. */
export interface Frame {
  readonly label: string;
  readonly span: Span;
  /** What has to be known of it to understand what goes wrong inside. */
  readonly note?: string;
}

/** Something wrong in a source file. */
export interface Diagnostic {
  /** Stable, kebab-case, documented in docs/errors.md. */
  readonly code: Code;
  readonly severity: Severity;
  /** One line: lower case, no full stop, with the shapes or values involved. */
  readonly message: string;
  readonly span: Span;
  readonly notes: readonly Note[];
  /** What to try: "did you mean `bottleneck`?" */
  readonly help?: string;
  /** Text that can replace the span to mend it, where one is known. */
  readonly fix?: string;
  /** Outermost first. */
  readonly chain: readonly Frame[];
}
