/** Graphs that measure what a quantization is made from: in fp32, with outputs of their own. */
import { formula, type Formula } from "../ops/formula.js";
import { operator } from "../ops/index.js";
import { node as makeNode } from "../ops/node.js";
import type { Dim } from "../ir/dim.js";
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

/**
 * Of a layer the sum of squares of what it gives, and of the differences that 8-bit numbers make there: with all of it rounded, and
 * with its weight alone.
 */
export const ERRORS = {
  signal: (path: string): string => `signal.${path}`,
  noise: (path: string): string => `noise.${path}`,
  weightNoise: (path: string): string => `weight_noise.${path}`,
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

/** A layer whose weight is less than this of all is as well left as it is: nothing is gained by storing it otherwise. */
const WORTH_STORING = 0.01;

/** Of the {@link weightedLayers} those whose weights would make the file smaller as 8-bit numbers, in their order. */
export function largeLayers(graph: Graph): readonly Node[] {
  const sizes = new Map(graph.parameters.map(({ value }) => [value.id, value.type.shape.reduce<number>(times, 1)]));
  const all = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  return weightedLayers(graph).filter(({ inputs }) => sizes.get(inputs[1]!.id)! >= WORTH_STORING * all);
}

function times(product: number, dim: Dim): number {
  return product * (dim as number);
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
 * its bias and its data rounded; and of large layers with the weight alone rounded.
 */
export function measuringErrors(graph: Graph, ranges: ReadonlyMap<string, Range>): Graph {
  const plan = planQuantization(graph, NONE_KEPT);
  const quantizer = new Quantizer(graph, plan, ranges);
  const large = new Set(largeLayers(graph));
  const outputs = weightedLayers(graph).flatMap((layer): readonly NamedValue[] => {
    const after = plan.cutOff.get(layer);
    const exact = (after ?? layer).outputs[0]!;
    const group = plan.values.get(exact.id);
    const f = formulasInto(quantizer.nodes, layer.path, layer.span);
    const axes = axesOf(exact);
    const cutOff = (given: Value): Value =>
      after ? quantizer.add(after.op, [given], after.attributes, after).outputs[0]! : given;
    const noise = (name: string, given: Value): NamedValue => {
      const difference = f.minus(given, exact);
      return { name, value: f.sum(f.times(difference, difference), axes) };
    };
    const rounded = quantizer.layer(layer, (input) => quantizer.rounded(input, plan.values.get(input.id)!, layer));
    const given = cutOff(rounded.outputs[0]!);
    return [
      { name: ERRORS.signal(layer.path), value: f.sum(f.times(exact, exact), axes) },
      noise(ERRORS.noise(layer.path), group ? quantizer.rounded(given, group, layer) : given),
      ...(large.has(layer)
        ? [
            noise(
              ERRORS.weightNoise(layer.path),
              cutOff(quantizer.withStoredWeight(layer, (input) => input).outputs[0]!),
            ),
          ]
        : []),
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
