/** Residual functions that begin as zero, so that every block begins as an identity (Goyal et al., arXiv:1706.02677, 5.1). */
import { isScope, type Node, type Scope, type Value } from "../ir/types.js";
import type { Model } from "../model.js";

/**
 * The model with the scale of each residual function's last batch norm beginning at 0, where weights do not say
 * otherwise: torchvision's `zero_init_residual`.
 *
 * Throws a RangeError where no residual function ends in a batch norm.
 */
export function zeroInitResidual(model: Model): Model {
  const scales = lastScales(model);
  if (scales.size === 0) throw new RangeError(`${model.name} has no residual function that ends in a batch norm`);
  const parameters = model.graph.parameters.map((parameter) =>
    scales.has(parameter.value.id) ? { ...parameter, init: { kind: "constant", value: 0 } as const } : parameter,
  );
  return { ...model, graph: { ...model.graph, parameters } };
}

/** Ids of the scales. */
function lastScales({ graph, root }: Model): ReadonlySet<number> {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output.id, node] as const)));
  return new Set(
    residualOutputs(root).flatMap((output) => {
      const norm = lastNorm(makers.get(output.id), makers);
      return norm ? [norm.inputs[1]!.id] : [];
    }),
  );
}

function residualOutputs(scope: Scope): readonly Value[] {
  const branch =
    scope.kind === "residual" ? scope.children.find((child) => isScope(child) && child.kind === "branch") : undefined;
  const own = branch && isScope(branch) && branch.output ? [branch.output] : [];
  return [...own, ...scope.children.filter(isScope).flatMap(residualOutputs)];
}

/** What is 0 wherever its first input is: a batch norm may stand before it. */
const KEEPS_ZERO: ReadonlySet<string> = new Set(["multiply", "dropout", "identity", "slice_channels", "relu"]);

function lastNorm(node: Node | undefined, makers: ReadonlyMap<number, Node>): Node | undefined {
  if (node === undefined || node.op === "bn") return node;
  return KEEPS_ZERO.has(node.op) ? lastNorm(makers.get(node.inputs[0]!.id), makers) : undefined;
}
