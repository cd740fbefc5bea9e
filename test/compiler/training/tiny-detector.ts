/**
 * A detector of five layers, with the losses that std/detection_training gives it by a dialect: what test/oracle/tiny_detector.py
 * is for the code that it is compared with.
 */
import type * as ort from "#onnxruntime";
import { elaborate, memoryHost, parseTarget } from "../../../compiler/index.js";
import type { Device } from "../../../compiler/device.js";
import type { Parameter, Value } from "../../../compiler/ir/types.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { heldOn } from "../../../compiler/training/held.js";
import { openDetectorTraining, type TrainingObject } from "../../support/detector-session.js";
import { oracleTensor, uniform, type Ranges } from "../../support/oracle-weights.js";

/** Of an image: which were drawn, of an object and of the background, and what the former should become. */
export interface Drawn {
  readonly positive: readonly number[];
  readonly negative: readonly number[];
  readonly targets: readonly (readonly number[])[];
}

export interface TargetsGolden {
  readonly canvas: readonly [batch: number, channels: number, height: number, width: number];
  readonly sizes: readonly (readonly [height: number, width: number])[];
  readonly scale: number;
  readonly objects: readonly (readonly TrainingObject[])[];
  readonly losses: Readonly<Record<string, number>>;
  /** By path: the norm, and products with random vectors. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
  readonly anchors: readonly Drawn[];
  /** Rows among the proposals, and the objects behind them. */
  readonly regions: readonly (Drawn & {
    readonly classes: readonly number[];
    readonly boxes: readonly (readonly number[])[];
  })[];
}

interface Subject {
  readonly objectness: number;
  readonly pool: string;
  /** Classes that the head has boxes of. */
  readonly boxes: number;
}

export const SUBJECTS: Readonly<Record<string, Subject>> = {
  detectron2: { objectness: 6, pool: "roi_align features, 2x2", boxes: 3 },
  paper: { objectness: 12, pool: "roi_pool features, 2x2", boxes: 4 },
};

const source = (dialect: string, { objectness, pool, boxes }: Subject): string => `
  import { detect, propose } from "std/detection"
  import { proposal_losses, region_losses, training_regions } from "std/detection_training"
  import { ${dialect} } from "std/dialects"
  detector Tiny {
    input image 3xHxW
    dialect ${dialect}
    let sizes = [[128, 256]]
    let ratios = [0.5, 1, 2]
    features = conv 16x16, 8, /16, pad: 0
    objectness = conv 1x1, ${objectness}, bias: true on features
    deltas = conv 1x1, 24, bias: true on features
    regions = propose(objectness, deltas, sizes, ratios, top: 400, nms: 0.7, keep: 100)
    head = shared {
      ${pool}
      pooled = global_avg_pool
      logits = fc 4
      scores = softmax
      deltas = fc ${4 * boxes} on pooled
    }
    judged = head on regions
    proposal_losses(objectness, deltas, sizes, ratios)
    sampled = training_regions(objectness, deltas, sizes, ratios, top: 400, nms: 0.7, keep: 300)
    said = head on sampled
    region_losses(sampled, said.logits, said.deltas, 3)
    detect(regions, judged.scores, judged.deltas, nms: 0.5, keep: 10)
  }`;

const RANGES: Ranges = {
  "objectness.weight": [-0.5, 0.5],
  "deltas.weight": [-0.06, 0.06],
  "head.logits.weight": [-0.6, 0.6],
  "head.deltas.weight": [-0.3, 0.3],
};

/** Values along the way, by the layer that gives them. */
const WATCHED = {
  anchors: ["training.proposal_losses.drawn", 0],
  anchorTargets: ["training.proposal_losses.targets", 0],
  rows: ["training.sampled.rows", 0],
  labels: ["training.sampled.rows", 1],
  classes: ["training.sampled.numbers", 0],
  regions: ["training.sampled.rows_as_regions2", 0],
  regionTargets: ["training.region_losses.targets", 0],
} as const;

export interface Trained {
  readonly outputs: Readonly<Record<string, Float32Array>>;
  readonly trained: readonly Parameter[];
  /** Watched values of an image, in rows of so many. */
  of(name: keyof typeof WATCHED, image: number, each?: number): number[][];
}

/** One step of a golden's batch: losses, gradients, and what is watched. */
export async function trainTiny(
  dialect: string,
  golden: TargetsGolden,
  step: number,
  device?: Device,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<Trained> {
  const text = source(dialect, SUBJECTS[dialect]!);
  const { model, diagnostics } = elaborate(parseTarget("tiny.resnet"), { host: memoryHost({ "tiny.resnet": text }) });
  if (!model || diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
  const [batch, , height, width] = golden.canvas;
  const { gradients, trained, state } = buildTraining(model, {
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 0 },
    batch,
    sizes: { H: height, W: width },
    ...(device && { device, held: heldOn(device) }),
  });
  const value = ([path, index]: readonly [string, number]): Value =>
    gradients.graph.nodes.find((node) => node.path === path)!.outputs[index]!;
  const watched = Object.entries(WATCHED).map(([name, at]) => ({ name, value: value(at) }));
  const graph = { ...gradients.graph, outputs: [...gradients.graph.outputs, ...watched] };
  const weights = (path: string): Float32Array => {
    const { shape } = state.find(({ name }) => name === path)!;
    return oracleTensor(path, shape, RANGES);
  };
  const session = await openDetectorTraining({ ...gradients, graph }, weights, options);
  const size = golden.canvas.reduce((a, b) => a * b, 1);
  const { canvas: shape, sizes, scale, objects } = golden;
  const outputs = await session.run(
    { image: uniform(`image${step}`, size, -2, 2), shape, sizes, scale, objects },
    step,
  );
  await session.close();
  const of: Trained["of"] = (name, image, each = 1) => {
    const all = Array.from(outputs[name]!, Number);
    const own = all.slice((image * all.length) / batch, ((image + 1) * all.length) / batch);
    return Array.from({ length: own.length / each }, (_, row) => own.slice(row * each, (row + 1) * each));
  };
  return { outputs, trained, of };
}

/** How far gradients are from a golden's, relative to the norm of each: by their products with its random vectors. */
export function gradientError(found: Readonly<Record<string, Float32Array>>, golden: TargetsGolden): number {
  const errors = Object.entries(golden.gradients).flatMap(([path, [norm, ...products]]) => {
    const gradient = found[`gradient.${path}`]!;
    return products.map((product, index) => {
      const direction = uniform(`direction${index}`, gradient.length, -1, 1);
      const own = gradient.reduce((sum, each, place) => sum + each * direction[place]!, 0);
      return Math.abs(own - product) / norm!;
    });
  });
  // A NaN is an infinite error.
  return Math.max(...errors.map((error) => (error >= 0 ? error : Infinity)));
}

export function lossError(found: Readonly<Record<string, Float32Array>>, golden: TargetsGolden): number {
  const errors = Object.entries(golden.losses).map(([name, value]) => Math.abs(found[`loss.${name}`]![0]! / value - 1));
  return Math.max(...errors.map((error) => (error >= 0 ? error : Infinity)));
}
