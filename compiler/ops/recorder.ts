/** Building a graph by applying operators: what gradients, updates and probes are written with. */
import type { Span } from "../../grammar/ast.js";
import { constant } from "../ir/build.js";
import type { Attributes, Constant, Node, Value } from "../ir/types.js";
import { node as makeNode } from "./node.js";
import type { GraphBuilder } from "./operator.js";

/** Nodes and constants as they are made. */
export interface Recorder extends GraphBuilder {
  readonly nodes: Node[];
  readonly constants: Constant[];
  /** Nodes made from here on carry this path and span. */
  at(path: string, span: Span): void;
  /** That span. */
  readonly span: Span;
}

const NOWHERE: Span = { file: "", start: 0, end: 0 };

export function recorder(start: { readonly path: string; readonly span?: Span }): Recorder {
  let [path, span] = [start.path, start.span ?? NOWHERE];
  const nodes: Node[] = [];
  const constants: Constant[] = [];
  return {
    nodes,
    constants,
    get span() {
      return span;
    },
    at(nextPath, nextSpan) {
      [path, span] = [nextPath, nextSpan];
    },
    apply(op: string, inputs: readonly Value[], attributes: Attributes = {}) {
      const made = makeNode(op, inputs, attributes, path, span);
      nodes.push(made);
      return [...made.outputs];
    },
    constant(data, shape) {
      const made = constant(data, shape, `${path}.constant`);
      constants.push(made);
      return made.value;
    },
  };
}
