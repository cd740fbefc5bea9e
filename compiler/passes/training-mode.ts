import { formatShape } from "../ir/dim.js";
import { tensor, value } from "../ir/build.js";
import { nextName, noiseName } from "../ir/names.js";
import type { NamedValue, Node, Value } from "../ir/types.js";
import { operator } from "../ops/index.js";
import type { TrainingBuilder } from "../ops/operator.js";
import { recorder } from "../ops/recorder.js";
import type { Pass, TrainingContext } from "./pass.js";
import { rewrite } from "./rewrite.js";

/**
 * The network as it computes while training: batch norms by the batch's statistics, with outputs `next.PATH` for the
 * running ones; dropout with a mask of an input `random.LAYER`.
 */
export const trainingMode: Pass<TrainingContext> = {
  name: "training mode",
  run(graph, { frozen = () => false }) {
    const paths = new Map(graph.parameters.map(({ path, value: { id } }) => [id, path]));
    const statistics = new Set(graph.parameters.filter((each) => !each.trainable).map((each) => each.value.id));
    // By where its statistics are: a shared layer that is used elsewhere too is the same layer.
    const isFrozen = ({ inputs }: Node): boolean =>
      inputs.some(({ id }) => statistics.has(id) && frozen(paths.get(id)!));
    requireSpread(graph, isFrozen);
    const noise: NamedValue[] = [];
    const constants = [...graph.constants];
    // A layer that is used twice moves its statistics twice.
    const running = new Map<string, Value>();

    const trained = rewrite(graph, (node) => {
      const { training, trainingOnly } = operator(node.op);
      if (training === undefined) return trainingOnly ? { nodes: [], outputs: [node.inputs[0]!] } : undefined;
      if (isFrozen(node)) return undefined;
      const record = recorder(node);
      const builder: TrainingBuilder = {
        apply: record.apply,
        constant: record.constant,
        noise(shape) {
          const made = value(tensor(shape), noiseName(node.path));
          noise.push({ name: made.name, value: made });
          return made;
        },
        track(statistic, batch, momentum, factor) {
          const path = paths.get(statistic.id)!;
          const before = running.get(path) ?? statistic;
          // A path outside of every part: values that it takes are kept, whatever is computed again.
          record.at(nextName(path), node.span);
          const [next] = record.apply("running_average", [before, batch], { momentum, factor });
          running.set(path, next!);
        },
      };
      const output = training(node, builder);
      constants.push(...record.constants);
      return { nodes: record.nodes, outputs: [output] };
    });
    const next = [...running].map(([path, made]): NamedValue => ({ name: nextName(path), value: made }));
    return {
      ...trained,
      constants,
      inputs: [...trained.inputs, ...noise],
      outputs: [...trained.outputs, ...next],
    };
  },
};

/** A batch norm over one value gives its offset, whatever the value: nothing before it is learned from. */
function requireSpread({ nodes }: { readonly nodes: readonly Node[] }, isFrozen: (node: Node) => boolean): void {
  for (const node of nodes) {
    if (node.op !== "bn" || isFrozen(node)) continue;
    const { path, inputs } = node;
    const { shape } = inputs[0]!.type;
    if (shape.some((dim, axis) => axis !== 1 && dim !== 1)) continue;
    throw new RangeError(
      `the batch norm ${path} sees one value a channel (${formatShape(shape)}), which it would turn into a constant: ` +
        `take more images at once (batch, less accumulate), or move it before the pooling`,
    );
  }
}
