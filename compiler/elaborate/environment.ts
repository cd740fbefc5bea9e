import type { Span } from "../../grammar/ast.js";
import type { EvalValue } from "./values.js";

/** A name and what it stands for; declarations of a file are evaluated when first asked for. */
export interface Binding {
  readonly span: Span;
  get(): EvalValue;
}

/** Names visible at a place: this scope's own, then those of the scopes round it. */
export class Environment {
  readonly parent: Environment | undefined;
  readonly #names = new Map<string, Binding>();

  constructor(parent?: Environment) {
    this.parent = parent;
  }

  define(name: string, binding: Binding): void {
    this.#names.set(name, binding);
  }

  set(name: string, value: EvalValue, span: Span): void {
    this.#names.set(name, { span, get: () => value });
  }

  lookup(name: string): Binding | undefined {
    return this.#names.get(name) ?? this.parent?.lookup(name);
  }

  /** Of this scope alone. */
  own(name: string): Binding | undefined {
    return this.#names.get(name);
  }

  /** This scope's own names. */
  bindings(): Iterable<readonly [name: string, binding: Binding]> {
    return this.#names;
  }

  /** This scope's own names and what they stand for. */
  *entries(): Generator<readonly [name: string, value: EvalValue]> {
    for (const [name, binding] of this.#names) yield [name, binding.get()];
  }

  /** Every visible name, for suggestions. */
  *names(): Generator<string> {
    yield* this.#names.keys();
    if (this.parent) yield* this.parent.names();
  }
}
