/** Graphs that measure what a quantization is made from: in fp32, with outputs of their own. */
import { formula, type Formula } from "../ops/formula.js";
import { operator } from "../ops/index.js";
import { node as makeNode } from "../ops/node.js";
import type { Graph, NamedValue, Node, Value } from "../ir/types.js";
import { planQuantization } from "./plan.js";
import { Quantizer } from "./quantizer.js";
import type { Range } from "./scale.js";

/** Names of outputs: of a value its greatest number, its least with the sign changed, all of them. */
export const MEASURED = {
  greatest: (name: string): string => `greatest.${name}`,
  negatedLeast: (name: string): string => `negated_least.${name}`,
  values: (name: string): string => `values.${name}`,
} as const;

/** Of a layer the sum of squares of what it gives, and of the differences that 8-bit numbers make there. */
export const ERRORS = {
  signal: (path: string): string => `signal.${path}`,
  noise: (path: string): string => `noise.${path}`,
} as const;

const NONE_KEPT = (): boolean => false;

/** The values whose ranges are measured, so that any of the layers may be of 8-bit numbers. */
export function measuredValues(graph: Graph): readonly Value[] {
  const { values } = planQuantization(graph, NONE_KEPT);
  const made = graph.nodes.flatMap(({ outputs }) => outputs);
  const found = [...graph.inputs.map(({ value }) => value), ...made].filter(({ id }) => values.has(id));
  const names = new Set<string>();
  for (const { name } of found) {
    if (names.has(name)) throw new RangeError(`${graph.name}: two values are called ${name}`);
    names.add(name);
  }
  return found;
}

/** The layers that may compute with 8-bit numbers and have a weight, in their order: those that may be kept in fp32. */
export function weightedLayers(graph: Graph): readonly Node[] {
  const { layers } = planQuantization(graph, NONE_KEPT);
  return graph.nodes.filter((node) => layers.has(node) && operator(node.op).quantized === "weighted");
}

/** The greatest and the least number of each value. */
export function measuringRanges(graph: Graph): Graph {
  const nodes: Node[] = [];
  const outputs = measuredValues(graph).flatMap((value): readonly NamedValue[] => {
    const f = formulasInto(nodes, value.name, graph.nodes[0]!.span);
    const axes = axesOf(value);
    return [
      { name: MEASURED.greatest(value.name), value: f.largest(value, axes) },
      { name: MEASURED.negatedLeast(value.name), value: f.largest(f.affine(value, -1), axes) },
    ];
  });
  return { ...graph, outputs, nodes: [...graph.nodes, ...nodes] };
}

/** The values themselves, for histograms. */
export function measuringValues(graph: Graph): Graph {
  return { ...graph, outputs: measuredValues(graph).map((value) => ({ name: MEASURED.values(value.name), value })) };
}

/**
 * What 8-bit numbers change in what each layer with a weight gives, each by itself: on what it is given in fp32, with its weight,
 * its bias and its data rounded.
 */
export function measuringErrors(graph: Graph, ranges: ReadonlyMap<string, Range>): Graph {
  const plan = planQuantization(graph, NONE_KEPT);
  const quantizer = new Quantizer(graph, plan, ranges);
  const outputs = weightedLayers(graph).flatMap((layer): readonly NamedValue[] => {
    const made = quantizer.layer(layer, (input) => quantizer.rounded(input, plan.values.get(input.id)!, layer));
    const after = plan.cutOff.get(layer);
    let given = made.outputs[0]!;
    if (after) given = quantizer.add(after.op, [given], after.attributes, after).outputs[0]!;
    const exact = (after ?? layer).outputs[0]!;
    const group = plan.values.get(exact.id);
    const rounded = group ? quantizer.rounded(given, group, layer) : given;
    const f = formulasInto(quantizer.nodes, layer.path, layer.span);
    const axes = axesOf(exact);
    const difference = f.minus(rounded, exact);
    return [
      { name: ERRORS.signal(layer.path), value: f.sum(f.times(exact, exact), axes) },
      { name: ERRORS.noise(layer.path), value: f.sum(f.times(difference, difference), axes) },
    ];
  });
  return {
    ...graph,
    outputs,
    parameters: [...graph.parameters, ...quantizer.parameters],
    constants: [...graph.constants, ...quantizer.constants],
    nodes: [...graph.nodes, ...quantizer.nodes],
  };
}

/** Formulas whose nodes are added to these. */
function formulasInto(nodes: Node[], path: string, span: Node["span"]): Formula {
  return formula({
    apply(op, inputs, attributes = {}) {
      const made = makeNode(op, inputs, attributes, path, span);
      nodes.push(made);
      return [...made.outputs];
    },
    constant() {
      throw new TypeError("these formulas have no constants");
    },
  });
}

function axesOf(value: Value): readonly number[] {
  return value.type.shape.map((_, axis) => axis);
}
