import { formula } from "../ops/formula.js";
import { operator } from "../ops/index.js";
import { recorder, type Recorder } from "../ops/recorder.js";
import type { Graph, Node, Value } from "../ir/types.js";
import type { Pass, TrainingContext } from "./pass.js";
import { countUses, rewrite } from "./rewrite.js";

/**
 * While training, a batch norm by its running statistics is constant, and becomes part of the weight and bias of the layer
 * before it, as foldBatchNorms has it for inference; here in the graph, since the weight changes:
 *
 *     scale * (weight x + bias) + offset = (scale weight) x + (scale (bias - mean) + offset)
 *
 * So there is no map before the norm to be kept, and no pass over it. One whose layer's output has another use stays. In half
 * precision all stay: a variance can be beyond its range.
 */
export const foldFrozenNorms: Pass<TrainingContext> = {
  name: "fold frozen batch norms",
  run(graph, { device, precision }) {
    if (device !== "cpu" || precision === "fp16") return graph;
    const norms = foldable(graph);
    if (norms.size === 0) return graph;
    const folded = new Set(norms.values());
    const constants = [...graph.constants];
    const changed = rewrite(graph, (node, original) => {
      if (folded.has(original)) return { nodes: [], outputs: [node.inputs[0]!] };
      const norm = norms.get(original);
      if (norm === undefined) return undefined;
      const record = recorder(norm);
      const parameters = writeFolded(node, norm, record);
      record.at(node.path, node.span);
      const attributes = operator(node.op).linear!.withBias(node.attributes);
      const outputs = record.apply(node.op, [node.inputs[0]!, ...parameters], attributes);
      constants.push(...record.constants);
      return { nodes: record.nodes, outputs };
    });
    return { ...changed, constants };
  },
};

/** The norms of the layers that they can be part of: those whose output channels are the weight's first axis. */
function foldable(graph: Graph): ReadonlyMap<Node, Node> {
  const uses = countUses(graph);
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output.id, node] as const)));
  return new Map(
    graph.nodes.flatMap((norm): readonly (readonly [Node, Node])[] => {
      const layer = norm.op === "bn" ? makers.get(norm.inputs[0]!.id) : undefined;
      const linear = layer && operator(layer.op).linear;
      if (!linear || linear.outputsOf || uses.get(layer.outputs[0]!.id) !== 1) return [];
      return [[layer, norm]];
    }),
  );
}

/** The weight and bias that do the work of both. */
function writeFolded(layer: Node, norm: Node, record: Recorder): readonly [weight: Value, bias: Value] {
  const f = formula(record);
  const [, weight, bias] = layer.inputs as readonly [Value, Value, Value?];
  const [, gamma, beta, mean, variance] = norm.inputs as readonly [Value, Value, Value, Value, Value];
  const inverse = f.power(f.affine(variance, 1, norm.attributes["eps"] as number), -0.5);
  const scale = f.times(gamma, inverse);
  const shape = weight.type.shape as readonly number[];
  // Two axes: where the last are 1, as those of 1x1 convolutions, ONNX Runtime broadcasts value by value.
  const rows = [shape[0]!, shape.slice(1).reduce((product, size) => product * size, 1)];
  const scaled = f.times(f.reshape(weight, rows), f.reshape(scale, [shape[0]!, 1]));
  const centred = bias === undefined ? f.affine(mean, -1) : f.minus(bias, mean);
  return [f.reshape(scaled, shape), f.plus(f.times(centred, scale), beta)];
}
