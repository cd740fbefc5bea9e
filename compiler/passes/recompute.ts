/**
 * Values of a part of the network computed again in the backward pass instead of being kept since the forward pass:
 * less memory for more time (Chen et al., arXiv:1604.06174).
 */
import { node as makeNode } from "../ops/node.js";
import { gradientName } from "../ir/names.js";
import { isScope, type Graph, type Node, type Scope, type Value } from "../ir/types.js";
import type { Pass, Segments, TrainingContext } from "./pass.js";

/** Does so for the segments that are asked for. */
export const recomputeSegments: Pass<TrainingContext> = {
  name: "recompute segments",
  run: (graph, { segments, trained = [] }) => {
    const gradients = new Set(trained.map(gradientName));
    return segments === undefined ? graph : recompute(graph, segments, forwardNodes(graph, gradients));
  },
};

/** The nodes that other outputs than gradients need. */
function forwardNodes({ nodes, outputs }: Graph, gradients: ReadonlySet<string>): ReadonlySet<Node> {
  const needed = new Set(outputs.filter(({ name }) => !gradients.has(name)).map(({ value }) => value.id));
  const forward = nodes.toReversed().filter((node) => {
    const isNeeded = node.outputs.some(({ id }) => needed.has(id));
    if (isNeeded) node.inputs.forEach(({ id }) => needed.add(id));
    return isNeeded;
  });
  return new Set(forward);
}

/**
 * Of each segment only what the rest of the forward pass takes from it is kept. What the backward pass uses besides is
 * computed again before its first use there, from what the segment was given.
 *
 * The copies must not run in the forward pass already, where their inputs are ready: what they take passes through
 * `after`, whose second input is a gradient that arrives when they are needed.
 */
function recompute(graph: Graph, segments: Segments, forward: ReadonlySet<Node>): Graph {
  const makers = new Map<number, Node>();
  for (const node of graph.nodes) {
    if (forward.has(node)) node.outputs.forEach((output) => makers.set(output.id, node));
  }
  const kept = keptValues(graph, segments, forward, makers);
  const nodes: Node[] = [];
  const backward = new Set<number>();
  const copies = new Map<number, Value>();
  const held = new Map<string, Value>();
  let last: Value | undefined;

  for (const node of graph.nodes) {
    if (forward.has(node)) {
      nodes.push(node);
      continue;
    }
    const moment = node.inputs.find((input) => backward.has(input.id)) ?? last;
    const hold = (value: Value, segment: string): Value => {
      const key = `${segment} ${value.id}`;
      const known = held.get(key);
      if (known !== undefined || moment === undefined) return known ?? value;
      const made = makeNode("after", [value, moment], {}, `${value.name}.held`, node.span);
      nodes.push(made);
      held.set(key, made.outputs[0]!);
      return made.outputs[0]!;
    };
    const again = (value: Value): Value => {
      const maker = makers.get(value.id);
      const segment = maker && segments(maker.path);
      if (maker === undefined || segment === undefined || kept.has(value.id)) return value;
      if (!copies.has(value.id)) {
        const inputs = maker.inputs.map((input) => {
          const copy = again(input);
          return copy === input && makers.has(input.id) ? hold(input, segment) : copy;
        });
        const made = makeNode(maker.op, inputs, maker.attributes, `${maker.path}.again`, maker.span);
        nodes.push(made);
        maker.outputs.forEach((output, index) => copies.set(output.id, made.outputs[index]!));
      }
      return copies.get(value.id)!;
    };
    nodes.push({ ...node, inputs: node.inputs.map(again) });
    node.outputs.forEach((output) => backward.add(output.id));
    last = node.outputs[0];
  }
  return { ...graph, nodes };
}

/** Outputs of the graph, and what nodes outside of the segment take in the forward pass. */
function keptValues(
  graph: Graph,
  segments: Segments,
  forward: ReadonlySet<Node>,
  makers: ReadonlyMap<number, Node>,
): ReadonlySet<number> {
  const kept = new Set(graph.outputs.map((output) => output.value.id));
  for (const node of graph.nodes) {
    if (!forward.has(node)) continue;
    for (const input of node.inputs) {
      const maker = makers.get(input.id);
      if (maker !== undefined && segments(maker.path) !== segments(node.path)) kept.add(input.id);
    }
  }
  return kept;
}

/**
 * Segments of these scopes: a scope with many blocks is cut into about as many runs of blocks as a run has blocks,
 * since what is kept between runs and what one run needs add up. `true`: every child of the root.
 */
export function segmentsOf(root: Scope, scopes: readonly string[] | true): Segments {
  const chosen = allScopes(root).filter((scope) =>
    scopes === true ? root.children.includes(scope) : scopes.includes(scope.path),
  );
  const names = new Map<string, string>();
  for (const scope of chosen) {
    const blocks = scope.children.filter(isScope);
    const run = Math.ceil(Math.sqrt(blocks.length));
    blocks.forEach((block, index) => names.set(block.path, `${scope.path}/${Math.floor(index / run)}`));
    names.set(scope.path, scope.path);
  }
  return (path) => {
    // The innermost of the scopes that have a name here.
    for (let end = path.length; end > 0; end = path.lastIndexOf(".", end - 1)) {
      const name = names.get(path.slice(0, end));
      if (name !== undefined) return name;
    }
    return undefined;
  };
}

function allScopes(scope: Scope): readonly Scope[] {
  return [scope, ...scope.children.filter(isScope).flatMap(allScopes)];
}
