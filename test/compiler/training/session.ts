/** Running training graphs for tests, on the processor or on WebGPU. */
import * as ort from "#onnxruntime";
import { initialValues } from "../../../compiler/emit/initialise.js";
import { evaluate } from "../../../compiler/ir/dim.js";
import type { Parameter } from "../../../compiler/ir/types.js";
import { nextName, type StateTensor, type TrainingGraph } from "../../../compiler/training/contract.js";
import { heldValues } from "../../../compiler/training/held.js";
import { outputsByName, partOf } from "../../support/held.js";
import { oracleTensor, uniform } from "../../support/oracle-weights.js";
import { emitBytes } from "../emit/run.js";
import type { OracleNetwork } from "./networks.js";

export interface TrainingSession {
  /** Runs batch `step` and keeps the state; gives every output. */
  run(step: number, learningRate?: number): Promise<Record<string, Float32Array>>;
  /** Values of a state tensor now. */
  state(name: string): Float32Array;
  close(): Promise<void>;
}

/** Begins with the oracle's weights; batches are the oracle's. */
export async function openTraining(
  training: TrainingGraph,
  network: OracleNetwork,
  options: ort.InferenceSession.SessionOptions = {},
  lossScale = 1,
  /** Other inputs, and state in place of the oracle's. */
  given: Readonly<Record<string, Float32Array>> = {},
): Promise<TrainingSession> {
  const bytes = emitBytes(training.graph);
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3, ...options });
  const state = new Map<string, ort.Tensor>();
  const held = new Set(training.reads.flatMap(({ parts }) => parts.map(({ name }) => name)));
  for (const each of training.reads) {
    const parts = new Map(each.parts.map((part) => [part.name, part]));
    const values = heldValues(each, (name) => given[name] ?? initial(parts.get(name)!, network));
    state.set(each.name, new ort.Tensor("float32", values, each.shape));
  }
  const others = training.graph.inputs.flatMap(({ name, value }) =>
    given[name] === undefined || state.has(name) || held.has(name)
      ? []
      : [[name, new ort.Tensor("float32", given[name], value.type.shape as number[])] as const],
  );
  const how = network.training;
  const [batch, ...rest] = network.image;
  const wanted = new Set(session.inputNames);
  return {
    async run(step, learningRate = how?.learning_rate ?? 0.1) {
      const index = how ? step % how.batches : step;
      const image = uniform(`image${index}`, batch * rest.reduce((a, b) => a * b, 1), -2, 2);
      const feeds: Record<string, ort.Tensor> = Object.fromEntries([...others, ...state]);
      if (wanted.has("image")) feeds["image"] = new ort.Tensor("float32", image, network.image);
      if (wanted.has("labels") && given["labels"] === undefined) feeds["labels"] = labelsOf(training, index);
      if (wanted.has("learning_rate")) feeds["learning_rate"] = scalar(learningRate);
      if (wanted.has("loss_scale")) feeds["loss_scale"] = scalar(lossScale);
      for (const { name, shape } of training.noise) {
        const layer = name.replace(/^random\./, "");
        const lengths = shape.map((dim) => evaluate(dim));
        const values = uniform(
          `noise${step}.${layer}`,
          lengths.reduce((a, b) => a * b, 1),
          0,
          1,
        );
        feeds[name] = new ort.Tensor("float32", values, lengths);
      }
      const outputs = await session.run(feeds);
      for (const { name } of training.writes) {
        if (state.get(name)?.location === "gpu-buffer") state.get(name)!.dispose();
        state.set(name, outputs[nextName(name)] as ort.Tensor);
      }
      return outputsByName(
        training,
        Object.entries(outputs).flatMap(([name, tensor]) =>
          tensor.location === "cpu" ? [[name, tensor.data as Float32Array]] : [],
        ),
      );
    },
    state: (name) => partOf(training, name, (held) => state.get(held)!.data as Float32Array),
    close: () => session.release(),
  };
}

function scalar(value: number): ort.Tensor {
  return new ort.Tensor("float32", Float32Array.of(value), []);
}

/** What the oracle's networks begin with. */
export function initial({ init, shape, role, parameter }: StateTensor, network?: OracleNetwork): Float32Array {
  const size = shape.reduce((product, dim) => product * dim, 1);
  if (init.kind === "parameter") {
    const gain = init.path.endsWith("bn3.weight") ? (network?.residualGain ?? 1) : 1;
    return oracleTensor(init.path, shape).map((value) => gain * value);
  }
  return initialValues(init satisfies Parameter["init"], size, `${role} ${parameter ?? ""}`, 0);
}

/** Class numbers; or of each class whether it is there, where images have several. */
function labelsOf({ graph }: TrainingGraph, index: number): ort.Tensor {
  const { dtype, shape } = graph.inputs.find(({ name }) => name === "labels")!.value.type;
  const [batch, classes] = shape as readonly number[];
  if (dtype === "float32") {
    const there = uniform(`labels${index}`, batch! * classes!, 0, 1).map(Math.round);
    return new ort.Tensor("float32", there, [batch!, classes!]);
  }
  const loss = graph.nodes.find((node) => node.op === "cross_entropy");
  const labels = uniform(`labels${index}`, batch!, 0, loss!.inputs[0]!.type.shape[1] as number);
  const numbers = BigInt64Array.from(labels, (label) => BigInt(Math.floor(label)));
  return new ort.Tensor("int64", numbers, [batch!]);
}
