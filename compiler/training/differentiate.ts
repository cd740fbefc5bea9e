/** Reverse-mode differentiation of a graph: gradients are nodes like all others. */
import type { Span } from "../../grammar/ast.js";
import { constant } from "../ir/build.js";
import { node as makeNode } from "../ops/node.js";
import type { Attributes, Constant, Graph, Node, Value } from "../ir/types.js";
import { operator } from "../ops/index.js";
import type { GraphBuilder } from "../ops/operator.js";

/** Nodes and constants as they are made. */
export interface Recorder extends GraphBuilder {
  readonly nodes: Node[];
  readonly constants: Constant[];
  /** Nodes made from here on carry this path and span. */
  at(path: string, span: Span): void;
}

const NOWHERE: Span = { file: "", start: 0, end: 0 };

export function recorder(start: { readonly path: string; readonly span?: Span }): Recorder {
  let [path, span] = [start.path, start.span ?? NOWHERE];
  const nodes: Node[] = [];
  const constants: Constant[] = [];
  return {
    nodes,
    constants,
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

/**
 * Gradients of a scalar `loss` with respect to values of the graph, in the order of `wrt`; undefined where the loss
 * does not depend on one. The nodes that compute them are recorded in `record`. `seed` is the gradient of the loss
 * itself: a scalar, 1 unless gradients are scaled.
 *
 * Throws a TypeError where the loss depends on one through an operator without a gradient.
 */
export function differentiate(
  graph: Pick<Graph, "nodes">,
  loss: Value,
  wrt: readonly Value[],
  seed: Value,
  record: Recorder,
): readonly (Value | undefined)[] {
  const active = dependents(graph, wrt);
  const parts = new Map<number, Value[]>([[loss.id, [seed]]]);
  const total = (value: Value): Value | undefined => {
    const given = parts.get(value.id);
    if (given === undefined || given.length === 1) return given?.[0];
    const [sum] = record.apply("add", given);
    parts.set(value.id, [sum!]);
    return sum;
  };
  for (const node of graph.nodes.toReversed()) {
    if (!node.inputs.some((input) => active.has(input.id))) continue;
    if (!node.outputs.some((output) => parts.has(output.id))) continue;
    record.at(`${node.path}.gradient`, node.span);
    const rule = operator(node.op).gradient;
    if (typeof rule !== "function") {
      throw new TypeError(`${node.path}: ${node.op} has no gradient, and a parameter before it is trained`);
    }
    const gradients = rule(node, node.outputs.map(total), record);
    node.inputs.forEach((input, index) => {
      const gradient = gradients[index];
      if (gradient === undefined || !active.has(input.id)) return;
      parts.set(input.id, [...(parts.get(input.id) ?? []), gradient]);
    });
  }
  return wrt.map(total);
}

/** Ids of the values that are among these or computed from them. */
function dependents({ nodes }: Pick<Graph, "nodes">, values: readonly Value[]): ReadonlySet<number> {
  const ids = new Set(values.map((value) => value.id));
  for (const node of nodes) {
    if (node.inputs.some((input) => ids.has(input.id))) node.outputs.forEach((output) => ids.add(output.id));
  }
  return ids;
}
