/** One elaboration: the graph as far as it has been built. */
import type { Span } from "../../grammar/ast.js";
import type { Reporter } from "../diagnostics/reporter.js";
import { node as makeNode, value as makeValue } from "../ir/build.js";
import type * as ir from "../ir/types.js";
import type { Operator } from "../ops/operator.js";
import type { DraftNode, DraftParameter } from "./draft.js";

/** More than any network needs; a slip such as `x 1e9` ends with an error, not with the machine's memory. */
const MOST_NODES = 20_000;
const MOST_STEPS = 200_000;

/** Ends the elaboration; the diagnostic was reported. */
export class Abandoned extends Error {}

export class Session {
  readonly reporter: Reporter;
  readonly nodes: DraftNode[] = [];
  readonly parameters: DraftParameter[] = [];
  readonly inputs: ir.NamedValue[] = [];
  /** Replaces the size that the network's `input` declares. */
  readonly inputShape: readonly (number | string)[] | undefined;
  #steps = 0;

  constructor(reporter: Reporter, inputShape?: readonly (number | string)[]) {
    this.reporter = reporter;
    this.inputShape = inputShape;
  }

  /** Counts a statement. */
  step(span: Span): void {
    this.#steps++;
    if (this.#steps <= MOST_STEPS && this.nodes.length <= MOST_NODES) return;
    this.reporter.report("too-large", span, `the network grows beyond ${MOST_NODES} layers`);
    throw new Abandoned();
  }

  /**
   * Appends a layer. Its parameters follow the data inputs.
   * @throws ShapeError if it can't be applied to these shapes
   */
  append(operator: Operator, inputs: readonly ir.Value[], attributes: ir.Attributes, span: Span): DraftNode {
    const types = inputs.map((input) => input.type);
    const ownParameters = (operator.parameters?.(attributes, types) ?? []).map((spec): DraftParameter => ({
      name: spec.name,
      path: "",
      role: spec.role,
      trainable: spec.trainable,
      init: spec.init,
      value: makeValue({ dtype: "float32", shape: spec.shape }, ""),
    }));
    const all = [...inputs, ...ownParameters.map((parameter) => parameter.value)];
    const node: DraftNode = {
      ...makeNode(operator.name, all, attributes, "", span),
      base: operator.name,
      ownParameters,
    };
    this.nodes.push(node);
    this.parameters.push(...ownParameters);
    return node;
  }
}
