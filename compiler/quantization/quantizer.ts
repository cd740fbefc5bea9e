/** Writing layers with 8-bit numbers, one at a time. */
import { constant } from "../ir/build.js";
import type { Constant, Graph, Node, Parameter, Value } from "../ir/types.js";
import { node as makeNode } from "../ops/node.js";
import { operator } from "../ops/index.js";
import type { Group, Plan } from "./plan.js";
import { affineOf, united, type Range } from "./scale.js";
import { quantizedBias, quantizedWeight, type QuantizedParameter } from "./weights.js";

interface Scale {
  readonly number: number;
  /** Of fp32, []. */
  readonly scale: Constant;
  /** Of uint8, []. */
  readonly zeroPoint: Constant;
}

type Place = Pick<Node, "path" | "span">;

/** What it makes is collected: nodes in their order, parameters and constants. */
export class Quantizer {
  readonly nodes: Node[] = [];
  readonly parameters: Parameter[] = [];
  readonly constants: Constant[] = [];
  readonly #graph: Graph;
  readonly #plan: Plan;
  readonly #ranges: ReadonlyMap<string, Range>;
  readonly #stored: ReadonlySet<string>;
  readonly #own: ReadonlyMap<number, Parameter>;
  readonly #scales = new Map<Group, Scale>();
  readonly #weights = new Map<number, QuantizedParameter>();

  /**
   * @param ranges by the names of values; what the plan needs and is not there is a RangeError
   * @param stored paths of layers in fp32 whose weights are stored as 8-bit numbers
   */
  constructor(graph: Graph, plan: Plan, ranges: ReadonlyMap<string, Range>, stored: ReadonlySet<string> = new Set()) {
    this.#graph = graph;
    this.#plan = plan;
    this.#ranges = ranges;
    this.#stored = stored;
    this.#own = new Map(graph.parameters.map((each) => [each.value.id, each]));
  }

  /** A layer of the graph, on these data. Where the plan has it in 8-bit numbers, so are its weight and bias. */
  layer(original: Node, data: (input: Value) => Value): Node {
    if (this.#stored.has(original.path)) return this.withStoredWeight(original, data);
    const inputs = original.inputs.map((input, index) => this.#input(original, input, index, data));
    return this.add(original.op, inputs, original.attributes, original);
  }

  /** A layer with a weight, in fp32 but for how the weight is stored. */
  withStoredWeight(original: Node, data: (input: Value) => Value): Node {
    const inputs = original.inputs.map((input, index) => {
      if (index !== 1) return data(input);
      const { numbers, scale } = this.#weight(this.#own.get(input.id)!);
      return this.add("restore", [numbers.value, scale.value], {}, original).outputs[0]!;
    });
    return this.add(original.op, inputs, original.attributes, original);
  }

  /** A value of a group as the 8-bit numbers next to it. */
  rounded(value: Value, group: Group, place: Place): Value {
    const { scale, zeroPoint } = this.#scaleOf(group);
    const by = [scale.value, zeroPoint.value];
    const [numbers] = this.add("quantize", [value, ...by], {}, place, `${value.name}.uint8`).outputs;
    return this.add("dequantize", [numbers!, ...by], {}, place, `${value.name}.rounded`).outputs[0]!;
  }

  add(
    op: string,
    inputs: readonly Value[],
    attributes: Node["attributes"],
    { path, span }: Place,
    name?: string,
  ): Node {
    const made = makeNode(op, inputs, attributes, path, span, name ?? path);
    this.nodes.push(made);
    return made;
  }

  #input(layer: Node, input: Value, index: number, data: (input: Value) => Value): Value {
    const isWeighted = this.#plan.layers.has(layer) && operator(layer.op).quantized === "weighted";
    if (!isWeighted || index === 0) return data(input);
    const weight = this.#own.get(layer.inputs[1]!.id)!;
    if (index === 1) return this.#dequantized(this.#weight(weight), layer);
    const { number } = this.#scaleOf(this.#plan.values.get(layer.inputs[0]!.id)!);
    const bias = quantizedBias(this.#own.get(input.id)!, weight, number, layer.path);
    this.parameters.push(bias.numbers, bias.scale);
    return this.#dequantized(bias, layer);
  }

  /** Once for all layers that share it. */
  #weight(weight: Parameter): QuantizedParameter {
    const known = this.#weights.get(weight.value.id);
    if (known) return known;
    const made = quantizedWeight(weight);
    this.#weights.set(weight.value.id, made);
    this.parameters.push(made.numbers, made.scale);
    return made;
  }

  #dequantized({ numbers, scale }: QuantizedParameter, place: Place): Value {
    return this.add("dequantize", [numbers.value, scale.value], {}, place).outputs[0]!;
  }

  #scaleOf(group: Group): Scale {
    const known = this.#scales.get(group);
    if (known) return known;
    const ranges = group.members.map(({ name }) => {
      const range = this.#ranges.get(name);
      if (range === undefined) throw new RangeError(`${this.#graph.name}: no range of ${name} was measured`);
      return range;
    });
    const { scale, zeroPoint } = affineOf(ranges.reduce(united));
    const { name } = group.members[0]!;
    const made: Scale = {
      number: scale,
      scale: constant(Float32Array.of(scale), [], `${name}.scale`),
      zeroPoint: constant(Uint8Array.of(zeroPoint), [], `${name}.zero_point`),
    };
    this.constants.push(made.scale, made.zeroPoint);
    this.#scales.set(group, made);
    return made;
  }
}
