/** Running the graphs of a detector's training for tests: objects and images in, losses out, state carried on. */
import * as ort from "#onnxruntime";
import { initialValues } from "../../compiler/emit/initialise.js";
import { evaluate } from "../../compiler/ir/dim.js";
import type { Parameter } from "../../compiler/ir/types.js";
import { nextName, type TrainingGraph } from "../../compiler/training/contract.js";
import { heldValues, sizeOf } from "../../compiler/training/held.js";
import { emitBytes } from "../compiler/emit/run.js";
import { outputsByName, partOf } from "./held.js";
import { uniform } from "./oracle-weights.js";

export interface TrainingObject {
  readonly label: number;
  /** x1, y1, x2, y2 */
  readonly box: readonly number[];
}

export interface DetectorBatch {
  /** [N, 3, H, W] */
  readonly image: Float32Array;
  readonly shape: readonly number[];
  /** Of each image in the tensor. */
  readonly sizes: readonly (readonly [height: number, width: number])[];
  readonly objects: readonly (readonly TrainingObject[])[];
  /** Of each image, of each object: its mask on `cells` x `cells` pixels from the upper left corner of the tensor. */
  readonly masks?: { readonly cells: number; readonly of: readonly (readonly Float32Array[])[] };
  /** Pixels of the tensor to one of the original image; 1 by default. */
  readonly scale?: number;
}

/** `objects.boxes`, `.labels` and `.present`, as many rows for each image as that with the most has. */
export function objectFeeds(objects: readonly (readonly TrainingObject[])[]) {
  const [batch, most] = [objects.length, Math.max(1, ...objects.map(({ length }) => length))];
  const [boxes, labels, present] = [4, 1, 1].map((size) => new Float32Array(batch * most * size));
  for (const [image, each] of objects.entries()) {
    for (const [row, { label, box }] of each.entries()) {
      boxes!.set(box, (image * most + row) * 4);
      labels![image * most + row] = label;
      present![image * most + row] = 1;
    }
  }
  return {
    most,
    feeds: {
      "objects.boxes": new ort.Tensor("float32", boxes!, [batch, most, 4]),
      "objects.labels": new ort.Tensor("float32", labels!, [batch, most]),
      "objects.present": new ort.Tensor("float32", present!, [batch, most]),
    },
  };
}

/** `objects.masks` and `objects.frames`, as many rows for each image. */
function maskFeeds({ cells, of }: NonNullable<DetectorBatch["masks"]>, most: number): Record<string, ort.Tensor> {
  const masks = new Float32Array(of.length * most * cells * cells);
  const frames = new Float32Array(of.length * most * 4);
  of.forEach((each, image) =>
    each.forEach((mask, index) => {
      const row = image * most + index;
      masks.set(mask, row * cells * cells);
      frames.set([0, 0, cells, cells], 4 * row);
    }),
  );
  return {
    "objects.masks": new ort.Tensor("float32", masks, [of.length, most, cells, cells]),
    "objects.frames": new ort.Tensor("float32", frames, [of.length, most, 4]),
  };
}

export interface DetectorSession {
  /** Every output of batch `step`, by its name; random numbers are the oracle's of that step. */
  run(batch: DetectorBatch, step: number, learningRate?: number): Promise<Record<string, Float32Array>>;
  state(name: string): Float32Array;
  close(): Promise<void>;
}

/** @param weights of each parameter and statistic, by its path */
export async function openDetectorTraining(
  training: TrainingGraph,
  weights: (path: string) => Float32Array,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<DetectorSession> {
  const session = await ort.InferenceSession.create(emitBytes(training.graph), { logSeverityLevel: 3, ...options });
  const state = new Map<string, ort.Tensor>(
    training.reads.map((held) => {
      const parts = new Map(held.parts.map((part) => [part.name, part]));
      const values = heldValues(held, (part) => {
        const { shape, init, role, parameter } = parts.get(part)!;
        return init.kind === "parameter"
          ? weights(init.path)
          : initialValues(init satisfies Parameter["init"], sizeOf(shape), `${role} ${parameter ?? ""}`, 0);
      });
      return [held.name, new ort.Tensor("float32", values, held.shape)] as const;
    }),
  );
  return {
    async run({ image, shape, sizes, objects, masks, scale = 1 }, step, learningRate = 0) {
      const { most, feeds: targets } = objectFeeds(objects);
      const rows = sizes.flatMap(([height, width]) => [
        ...[height, width, height / scale, width / scale],
        ...[scale, scale],
      ]);
      const feeds: Record<string, ort.Tensor> = {
        ...Object.fromEntries(state),
        ...targets,
        ...(masks && maskFeeds(masks, most)),
        image: new ort.Tensor("float32", image, shape),
        image_info: new ort.Tensor("float32", Float32Array.from(rows), [sizes.length, 6]),
        learning_rate: new ort.Tensor("float32", Float32Array.of(learningRate), []),
      };
      for (const { name, shape: dims } of training.noise) {
        const lengths = dims.map((dim) => evaluate(dim, { objects: most }));
        const numbers = uniform(
          `noise${step}.${name.replace(/^random\./, "")}`,
          lengths.reduce((a, b) => a * b, 1),
          0,
          1,
        );
        feeds[name] = new ort.Tensor("float32", numbers, lengths);
      }
      const wanted = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name));
      const outputs = await session.run(Object.fromEntries(wanted));
      for (const { name } of training.writes) state.set(name, outputs[nextName(name)] as ort.Tensor);
      return outputsByName(
        training,
        Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]),
      );
    },
    state: (name) => partOf(training, name, (held) => state.get(held)!.data as Float32Array),
    close: () => session.release(),
  };
}
