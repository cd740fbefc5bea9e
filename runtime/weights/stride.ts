/** Which kernel carries a bottleneck's stride: networks that differ in it alone have tensors of the same shapes. */
import { elaborate, standardTargets } from "../../compiler/analyze.js";
import { formatShape } from "../../compiler/ir/dim.js";
import type { Graph, Node } from "../../compiler/ir/types.js";
import type { Model, WeightMap } from "../../compiler/model.js";
import { parseTarget } from "../../compiler/target.js";

/** Size of a convolution's kernel. */
export type KernelSize = readonly [height: number, width: number];

/**
 * The kernel of the strided convolution in the bottlenecks of a graph: `[1, 1]` in the paper's, `[3, 3]` in
 * torchvision's. Undefined where there is no bottleneck (a block with kernels of more than one size) that has a stride,
 * or where they don't agree.
 */
export function strideVariant(graph: Graph): KernelSize | undefined {
  const blocks = new Map<string, Node[]>();
  for (const node of graph.nodes) {
    const block = blockPath(node);
    if (block !== undefined) blocks.set(block, [...(blocks.get(block) ?? []), node]);
  }
  const found = [...blocks.values()]
    .filter((convolutions) => new Set(convolutions.map((node) => kernelOf(node).join("x"))).size > 1)
    .flatMap((convolutions) => convolutions.filter(isStrided).map(kernelOf));
  const [first] = found;
  return found.every((kernel) => kernel.join() === first?.join()) ? first : undefined;
}

/** One line if the weights expect the stride elsewhere, naming the network that they fit; undefined if all is well. */
export function strideWarning(model: Model, map: WeightMap): string | undefined {
  const ours = strideVariant(model.graph);
  const theirs = map.strideIn;
  if (!ours || !theirs || ours.join() === theirs.join()) return undefined;
  const fitting = standardTwin(model.graph, theirs) ?? `one with it in the ${theirs.join("x")}`;
  return (
    `these weights (${map.name}) have a bottleneck's stride in the ${theirs.join("x")} convolution, ${model.name} has it ` +
    `in the ${ours.join("x")}: all shapes agree, but the results will be wrong; the network that they fit is ${fitting}`
  );
}

/** The network of the standard library that has the same parameters, but its stride in that kernel. */
function standardTwin(graph: Graph, strideIn: KernelSize): string | undefined {
  const signature = parameterSignature(graph);
  return standardTargets().find((name) => {
    const { model } = elaborate(parseTarget(name));
    return (
      model !== undefined &&
      strideVariant(model.graph)?.join() === strideIn.join() &&
      parameterSignature(model.graph) === signature
    );
  });
}

function parameterSignature(graph: Graph): string {
  return graph.parameters.map(({ path, value }) => `${path} ${formatShape(value.type.shape)}`).join("\n");
}

/** `conv3.0` of `conv3.0.conv2`: the layers of a block's main branch. A shortcut's or an inner block's have more parts. */
function blockPath(node: Node): string | undefined {
  if (node.op !== "conv") return undefined;
  return /^(.*\.\d+)\.[^.]+$/.exec(node.path)?.[1];
}

function kernelOf(node: Node): KernelSize {
  return node.attributes["kernel"] as KernelSize;
}

function isStrided(node: Node): boolean {
  return (node.attributes["stride"] as readonly number[]).some((step) => step > 1);
}
