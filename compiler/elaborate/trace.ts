/** What each statement of a network gave each time it was carried out: for editors, which show it beside the statement. */
import type { Input, Stage, Use } from "../../grammar/ast.js";
import type { Context } from "./context.js";
import type { DraftNode, DraftParameter } from "./draft.js";
import type { GraphBuilder } from "./graph-builder.js";
import type { TensorValue, Unknown } from "./values.js";

/** A statement, carried out once. */
export interface Step {
  readonly statement: Stage | Input | Use;
  /** Its names and their values as they are at the end, and how the elaboration came there. */
  readonly context: Context;
  /** What arrived. */
  readonly before: TensorValue | Unknown | undefined;
  /** What flows on. */
  readonly after: TensorValue | Unknown | undefined;
  /** The layers that it appended: from this one of the network's to before `end`. */
  readonly first: number;
  readonly end: number;
}

export class Trace {
  readonly steps: Step[] = [];
  /** All layers of the network, as far as it could be built. */
  nodes: readonly DraftNode[] = [];
  parameters: readonly DraftParameter[] = [];

  begin({ nodes, parameters }: GraphBuilder): void {
    this.nodes = nodes;
    this.parameters = parameters;
  }

  add(step: Step): void {
    this.steps.push(step);
  }
}
