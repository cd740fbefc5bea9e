/**
 * Proposals that are kept between the phases of a training. A detector's source says where they come in, by `unless_given`
 * (std/detection_training): what goes in there is what it proposes itself.
 */
import { recorder } from "../ops/recorder.js";
import { atMost, evaluate } from "../ir/dim.js";
import { lossOfName } from "../ir/names.js";
import type { Graph, Node, Value } from "../ir/types.js";
import type { Model } from "../model.js";
import { dropDeadCode } from "../passes/drop-dead-code.js";
import { rewrite } from "../passes/rewrite.js";
import { withLosses } from "./with-losses.js";

const isSeam = ({ op }: Node): boolean => op === "unless_given";

/** The inputs that kept proposals fill. */
const GIVEN = ["proposals.boxes", "proposals.present"];

/**
 * The graph of losses with kept proposals in place of its own.
 *
 * @throws {RangeError} where none of its losses is of proposals
 */
export function withGivenProposals(graph: Graph): Graph {
  if (learnsFromProposals(graph)) {
    return rewrite(graph, (node) => (isSeam(node) ? { nodes: [], outputs: [node.inputs[1]!] } : undefined));
  }
  throw new RangeError(
    `${graph.name}: proposals are to be given, and none of the losses that are learned is of any: leave \`proposals\` out`,
  );
}

/** Whether some loss of a graph is of proposals, kept ones or its own. */
export function learnsFromProposals(graph: Graph): boolean {
  const outputs = graph.outputs.filter(({ name }) => lossOfName(name) !== undefined);
  return dropDeadCode.run({ ...graph, outputs }, {}).nodes.some(isSeam);
}

/**
 * What a detector proposes while it is trained, as a detector of one class: `boxes` and the rest as all detectors give them,
 * the best of each image first.
 *
 * @throws {RangeError} where it learns from no proposals
 */
export function proposerOf(model: Model): Model {
  const graph = proposalGraph(model);
  const [boxes, present] = graph.outputs.map(({ value }) => value) as [Value, Value];
  const info = graph.nodes.find(({ op }) => op === "image_info")!.outputs[0]!;
  const record = recorder({ path: "proposals" });
  const [scale] = record.apply("image_values", [info], { what: "scale", apart: true });
  const [original] = record.apply("box_scale", [boxes, scale!], { divide: true });
  const found = record.apply("as_detections", [original!, present]);
  const names = ["boxes", "scores", "labels", "images"];
  const { losses: _losses, weightMaps: _maps, ...rest } = model;
  return {
    ...rest,
    weightMaps: [],
    labels: ["object"],
    detection: { boxes: model.detection!.boxes },
    graph: {
      ...graph,
      inputs: model.graph.inputs,
      nodes: [...graph.nodes, ...record.nodes],
      outputs: names.map((name, index) => ({ name, value: found[index]! })),
    },
  };
}

/** How many regions of an image a detector learns from at most, before objects join them. @throws {RangeError} */
export function mostProposals(model: Model): number {
  return evaluate(atMost(proposalGraph(model).outputs[0]!.value.type.shape[1]!), {});
}

/** Paths of the parameters that its proposals depend on. @throws {RangeError} where it learns from none */
export function parametersOfProposals(model: Model): ReadonlySet<string> {
  return new Set(proposalGraph(model).parameters.map(({ path }) => path));
}

/** Boxes [N, T, 4] and which of them are there [N, T], with all that they come from. */
function proposalGraph(model: Model): Graph {
  const whole = withLosses(model);
  const own = whole.nodes.filter(isSeam).map(({ inputs: [made] }) => made!);
  const [boxes, present] = [3, 2].map((rank) => own.find(({ type }) => type.shape.length === rank));
  if (boxes === undefined || present === undefined) {
    throw new RangeError(
      `${model.name} learns from no proposals that could be kept: nothing in it is \`unless_given\``,
    );
  }
  const outputs = [boxes, present].map((value, index) => ({ name: GIVEN[index]!, value }));
  return dropDeadCode.run({ ...whole, outputs }, {});
}
