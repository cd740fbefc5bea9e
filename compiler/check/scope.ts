import type { Span } from "../../grammar/ast.js";

export interface Name {
  readonly span: Span;
  readonly what: "import" | "declaration" | "parameter" | "let" | "variable" | "label" | "stage" | "given";
  used: boolean;
}

/** Names as they are written, whatever their values: for the checks that need no values. */
export class Names {
  readonly parent: Names | undefined;
  readonly own = new Map<string, Name>();

  constructor(parent?: Names) {
    this.parent = parent;
  }

  /** The name that was there before, in this very scope. */
  declare(text: string, span: Span, what: Name["what"]): Name | undefined {
    const before = this.own.get(text);
    if (!before) this.own.set(text, { span, what, used: false });
    return before;
  }

  find(text: string): Name | undefined {
    return this.own.get(text) ?? this.parent?.find(text);
  }

  *all(): Generator<string> {
    yield* this.own.keys();
    if (this.parent) yield* this.parent.all();
  }
}
