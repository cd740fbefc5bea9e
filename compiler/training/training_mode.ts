/** The network as it computes while training: batch norms by the batch's statistics, dropout with a mask. */
import { tensor, value } from "../ir/build.js";
import { rewrite } from "../passes/rewrite.js";
import type { Graph, NamedValue, Value } from "../ir/types.js";
import { operator } from "../ops/index.js";
import type { TrainingBuilder } from "../ops/operator.js";
import type { NoiseInput } from "./contract.js";
import { recorder } from "./differentiate.js";

/** `running` becomes (1 - momentum) * running + momentum * factor * batch. */
export interface Tracked {
  readonly running: Value;
  readonly batch: Value;
  readonly momentum: number;
  readonly factor: number;
}

export interface TrainingMode {
  readonly graph: Graph;
  /** In the order of the layers; a layer that is used twice is here twice. */
  readonly tracked: readonly Tracked[];
  readonly noise: readonly NoiseInput[];
}

/** `frozen` says of a layer's path whether its statistics stay as they are. */
export function trainingMode(graph: Graph, frozen: (path: string) => boolean): TrainingMode {
  const tracked: Tracked[] = [];
  const noise: NamedValue[] = [];
  const constants = [...graph.constants];
  const statistics = new Set(graph.parameters.filter((each) => !each.trainable).map((each) => each.value.id));

  const trained = rewrite(graph, (node) => {
    const { training, trainingOnly } = operator(node.op);
    if (training === undefined) return trainingOnly ? { nodes: [], outputs: [node.inputs[0]!] } : undefined;
    if (frozen(node.path) && node.inputs.some((input) => statistics.has(input.id))) return undefined;
    const record = recorder(node);
    const builder: TrainingBuilder = {
      apply: record.apply,
      constant: record.constant,
      noise(shape) {
        const made = value(tensor(shape), `random.${node.path}`);
        noise.push({ name: made.name, value: made });
        return made;
      },
      track: (running, batch, momentum, factor) => tracked.push({ running, batch, momentum, factor }),
    };
    const output = training(node, builder);
    constants.push(...record.constants);
    return { nodes: record.nodes, outputs: [output] };
  });
  return {
    graph: { ...trained, constants, inputs: [...trained.inputs, ...noise] },
    tracked,
    noise: noise.map(({ name, value: made }) => ({ name, shape: made.type.shape as readonly number[] })),
  };
}
