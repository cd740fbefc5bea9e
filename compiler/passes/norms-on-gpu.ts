/**
 * Batch norms of a training as a GPU has them in few operators (compiler/ops/gradients/norm_train.ts). What their gradients need
 * of the channels' numbers alone is computed of all norms at once, before the first of them.
 */
import { node as makeNode } from "../ops/node.js";
import { normFactors } from "../ops/gradients/norm_train.js";
import { recorder } from "../ops/recorder.js";
import { MOST_PARTS, shapesAttribute } from "../ops/tensor/vectors.js";
import type { Device } from "../device.js";
import type { Graph, Node, Value } from "../ir/types.js";
import type { Pass } from "./pass.js";
import { rewrite } from "./rewrite.js";

export const normsOnGpu: Pass = {
  name: "norms on a GPU",
  run: (graph, { device = "cpu" }) => (device === "cpu" ? graph : normsFor(device, graph)),
};

function normsFor(device: Device, graph: Graph): Graph {
  // What WebGPU sums along a first axis it transposes; a product of matrices may round to ten bits on CUDA.
  const images = device === "webgpu" ? "product" : "mean";
  const before: Node[] = [];
  const spreads = new Map<Value, Value>();
  const centredOf = new Map<Value, Value>();
  let isBackward = false;
  return rewrite(graph, (node) => {
    const { op, inputs, attributes, path, span } = node;
    if (op !== "bn_train" && op !== "bn_train_gradient") return undefined;
    const eps = attributes["eps"]!;
    if (op === "bn_train") {
      const made = makeNode("norm_train", inputs, { eps, images }, path, span);
      const [y, mean, variance, centred] = made.outputs as readonly [Value, Value, Value, Value];
      centredOf.set(mean, centred);
      if (!isBackward) before.push(made);
      return { nodes: [made], outputs: [y, mean, variance] };
    }
    const [dy, x, weight, mean, variance] = inputs as readonly [Value, Value, Value, Value, Value];
    const centred = centredOf.get(mean);
    if (centred === undefined) return undefined;
    const first = isBackward ? [] : spreadsOf(before, device, spreads);
    isBackward = true;
    const record = recorder(node);
    // Of a norm that is computed again in the backward pass.
    const spread = spreads.get(variance) ?? record.apply("norm_spread", [variance], { eps })[0]!;
    const [dx, product, average] = record.apply("norm_train_gradient", [dy, centred, weight, variance, spread], {
      eps,
      images,
    }) as [Value, Value, Value];
    const { scale, offset } = normFactors(x);
    const [dWeight] = record.apply("norm_scale_gradient", [product, variance], { eps, factor: scale });
    const [dBias] = record.apply("norm_offset_gradient", [average], { factor: offset });
    return { nodes: [...first, ...record.nodes], outputs: [dx, dWeight!, dBias!] };
  });
}

/** Of norms with one eps together, as one vector; into `spreads`, by the variance. */
function spreadsOf(norms: readonly Node[], device: Device, spreads: Map<Value, Value>): readonly Node[] {
  const record = recorder({ path: "norms", span: norms[0]!.span });
  const epsOf = ({ attributes }: Node): number => attributes["eps"] as number;
  for (const eps of new Set(norms.map(epsOf))) {
    const variances = norms.filter((norm) => epsOf(norm) === eps).map(({ outputs }) => outputs[2]!);
    const [together] = variances.length === 1 ? variances : record.apply("pack", variances);
    const [spread] = record.apply("norm_spread", [together!], { eps });
    const most = MOST_PARTS[device];
    const shapes = shapesAttribute(variances.map(({ type }) => type.shape as readonly number[]));
    const parts = variances.length === 1 ? [spread!] : record.apply("unpack", [spread!], { ...shapes, most });
    variances.forEach((variance, at) => spreads.set(variance, parts[at]!));
  }
  return record.nodes;
}
