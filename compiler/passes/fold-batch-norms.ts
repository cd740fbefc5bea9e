import { node as makeNode, parameter } from "../ops/node.js";
import { countUses, rewrite } from "./rewrite.js";
import type { Graph, Node, Parameter } from "../ir/types.js";
import { operator } from "../ops/index.js";
import type { WeightOutputs } from "../ops/operator.js";
import type { Pass } from "./pass.js";

/**
 * A batch norm after a convolution, transposed or not, or a fully connected layer becomes part of its weight and bias:
 *
 *     scale * (weight x + bias) + offset = (scale weight) x + (scale bias + offset)
 *
 * computed in float64 when the weights are known, and rounded once. One after anything else stays, and so does one
 * whose layer's output has another use.
 */
export const foldBatchNorms: Pass = {
  name: "fold batch norms",
  run(graph, { foldBatchNorms: wanted = true }) {
    if (!wanted) return graph;
    const pairs = foldable(graph);
    if (pairs.length === 0) return graph;
    const byId = new Map(graph.parameters.map((each) => [each.value.id, each]));
    const folded = new Map<string, Folded>();
    for (const pair of pairs) {
      if (!folded.has(parameterKey(pair))) folded.set(parameterKey(pair), fold(pair, byId));
    }
    const byLinear = new Map(pairs.map((pair) => [pair.linear, folded.get(parameterKey(pair))!]));
    const norms = new Set(pairs.map((pair) => pair.norm));
    const visit = (node: Node, original: Node) => {
      if (norms.has(original)) return { nodes: [], outputs: [node.inputs[0]!] };
      const parameters = byLinear.get(original);
      if (parameters === undefined) return undefined;
      const { op, inputs, path, span } = node;
      const attributes = operator(op).linear!.withBias(node.attributes);
      const made = makeNode(op, [inputs[0]!, parameters.weight.value, parameters.bias.value], attributes, path, span);
      return { nodes: [made], outputs: made.outputs };
    };
    return rewrite(graph, visit, { parameters: inPlace(graph, pairs, folded) });
  },
};

/** A linear layer and the batch norm that alone uses what it gives. */
interface Pair {
  readonly linear: Node;
  readonly norm: Node;
}

interface Folded {
  readonly weight: Parameter;
  readonly bias: Parameter;
}

/**
 * The pairs that can fold. Where layers share a weight all of them have to, with the same norm: the others would
 * otherwise need the weight as it was, under the same name.
 */
function foldable(graph: Graph): readonly Pair[] {
  const uses = countUses(graph);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output.id, node] as const)));
  const pairs = graph.nodes.flatMap((norm): readonly Pair[] => {
    const linear = operator(norm.op).affine && makers.get(norm.inputs[0]!.id);
    if (!linear || !operator(linear.op).linear || uses.get(linear.outputs[0]!.id) !== 1) return [];
    return [{ linear, norm }];
  });
  const weightOf = (pair: Pair): number => pair.linear.inputs[1]!.id;
  const sharing = new Map<number, Pair[]>();
  for (const pair of pairs) sharing.set(weightOf(pair), [...(sharing.get(weightOf(pair)) ?? []), pair]);
  return pairs.filter((pair) => {
    const others = sharing.get(weightOf(pair))!;
    return (
      uses.get(weightOf(pair)) === others.length && others.every((other) => parameterKey(other) === parameterKey(pair))
    );
  });
}

/** Equal for pairs with the same parameters and the same arithmetic. */
function parameterKey({ linear, norm }: Pair): string {
  const ids = [...linear.inputs.slice(1), ...norm.inputs.slice(1)].map((value) => value.id);
  return `${ids.join()} ${JSON.stringify(norm.attributes)}`;
}

/** The weight and bias that do the work of both; they keep the layer's names. */
function fold({ linear, norm }: Pair, byId: ReadonlyMap<number, Parameter>): Folded {
  const [weight, bias] = linear.inputs.slice(1).map((value) => byId.get(value.id)!);
  const shape = weight!.value.type.shape as readonly number[];
  const layout = operator(linear.op).linear!.outputsOf?.(linear.attributes, shape);
  const statistics = norm.inputs.slice(1).map((value) => byId.get(value.id)!);
  const affine = (values: readonly Float32Array[]) => operator(norm.op).affine!(norm.attributes, values);
  const foldedWeight = derive(weight!, [weight!, ...statistics], (values, ...rest) => {
    const { scale } = affine(rest);
    return scaledOutputs(values, scale, layout ?? { groups: 1, inputs: 1, outputs: scale.length });
  });
  const biasPath = bias?.path ?? weight!.path.replace(/weight$/, "bias");
  const foldedBias = derive(
    { ...statistics[0]!, role: "bias", path: biasPath },
    [...(bias ? [bias] : []), ...statistics],
    (...values) => {
      const before = bias ? values[0]! : undefined;
      const { scale, offset } = affine(bias ? values.slice(1) : values);
      return Float32Array.from(offset, (value, channel) => value + (before?.[channel] ?? 0) * scale[channel]!);
    },
  );
  return { weight: foldedWeight, bias: foldedBias };
}

/** A weight with what makes each output channel times that channel's scale. */
function scaledOutputs(weight: Float32Array, scale: Float64Array, layout: WeightOutputs): Float32Array {
  const { groups, inputs, outputs } = layout;
  const window = weight.length / (groups * inputs * outputs);
  const scaled = new Float32Array(weight.length);
  for (let filter = 0; filter < groups * inputs * outputs; filter += 1) {
    const group = Math.floor(filter / (inputs * outputs));
    const factor = scale[group * outputs + (filter % outputs)]!;
    for (let index = filter * window; index < (filter + 1) * window; index += 1) {
      scaled[index] = weight[index]! * factor;
    }
  }
  return scaled;
}

/** A parameter like this one whose values are computed from others'. */
function derive(
  like: Omit<Parameter, "derived">,
  from: readonly Parameter[],
  compute: (...values: Float32Array[]) => Float32Array,
): Parameter {
  const { shape, dtype } = like.value.type;
  const { path, role, init } = like;
  const made = parameter({ name: path, role, shape: shape as readonly number[], trainable: false, init }, path, dtype);
  return { ...made, derived: { from, compute } };
}

/** The graph's parameters, folded ones in the place of the weights that they came from. */
function inPlace(graph: Graph, pairs: readonly Pair[], folded: ReadonlyMap<string, Folded>): readonly Parameter[] {
  const replacements = new Map<number, readonly Parameter[]>();
  for (const pair of pairs) {
    const { weight, bias } = folded.get(parameterKey(pair))!;
    const [old, oldBias] = pair.linear.inputs.slice(1);
    replacements.set(old!.id, [weight, bias]);
    if (oldBias !== undefined) replacements.set(oldBias.id, []);
    // The norm's own are dropped with dead code, unless another norm has them too.
  }
  return graph.parameters.flatMap((each) => replacements.get(each.value.id) ?? [each]);
}
