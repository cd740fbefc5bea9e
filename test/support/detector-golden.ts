/** Training of torchvision's detectors beside its own code: losses and their gradients (test/oracle/*_losses_golden.py). */
import type { Host } from "../../compiler/host.js";
import { elaborate, parseTarget } from "../../compiler/index.js";
import { buildTraining } from "../../compiler/training/build.js";
import type { TrainingProgram } from "../../compiler/training/contract.js";
import { matchedValues, matchWeights, type TensorSource } from "../../runtime/weights/index.js";
import type { DetectorBatch, TrainingObject } from "./detector-session.js";
import { fasterRcnnTensor } from "./fasterrcnn-golden.js";
import { oraclePixels, uniform, type Ranges } from "./oracle-weights.js";

interface Computed {
  readonly losses: Readonly<Record<string, number>>;
  /** By torchvision's names: the norm, and products with random vectors. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

export interface LossesGolden {
  readonly images: readonly { readonly name: string; readonly size: readonly [number, number] }[];
  readonly canvas: readonly number[];
  readonly objects: readonly (readonly TrainingObject[])[];
  readonly ranges: Ranges;
  /** Masks are those of pictures from this level on, within the box. */
  readonly light?: number;
  readonly float32: Computed;
  readonly float64: Computed;
}

/** A detector of the standard library as torchvision trains its own. */
export interface Subject {
  readonly program: TrainingProgram;
  readonly batch: DetectorBatch;
  /** By path. */
  readonly weights: (path: string) => Float32Array;
  /** torchvision's name of a parameter. */
  readonly theirs: (path: string) => string;
}

export function subjectOf(
  target: string,
  source: TensorSource,
  golden: LossesGolden,
  frozen: readonly string[],
  host?: Host,
): Subject {
  const { images, canvas, objects } = golden;
  const { model } = elaborate(parseTarget(target), host && { host });
  const match = matchWeights(source, model!.graph.parameters, model!.weightMaps);
  const values = matchedValues(match);
  return {
    program: buildTraining(model!, {
      optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
      batch: canvas[0]!,
      sizes: { H: canvas[2]!, W: canvas[3]! },
      frozenBatchNorm: true,
      frozenStages: frozen,
    }),
    batch: {
      image: fasterRcnnTensor({
        input: { images, tensor: true },
        image: { shape: canvas, mean: 0, absMax: 0, values: [] },
      }),
      shape: canvas,
      sizes: images.map(({ size }) => size),
      objects,
      ...(golden.light !== undefined && { masks: masksOf(golden, golden.light) }),
    },
    weights: (path) => values.get(path)!,
    theirs: (path) => match.origins.get(path)!.tensors[0]!,
  };
}

/** Pixels of the tensor as cells; at its border a mask goes on beyond the image. */
function masksOf({ images, canvas, objects }: LossesGolden, light: number): NonNullable<DetectorBatch["masks"]> {
  const cells = Math.max(canvas[2]!, canvas[3]!) + 1;
  const of = objects.map((each, image) => {
    const {
      name,
      size: [height, width],
    } = images[image]!;
    return each.map(({ box: [x1, y1, x2, y2] }, index) => {
      const levels = oraclePixels(`${name}.mask${index}`, height, width);
      return Float32Array.from({ length: cells * cells }, (_, at) => {
        const [y, x] = [Math.min(height - 1, Math.floor(at / cells)), Math.min(width - 1, at % cells)];
        return x >= x1! && x < x2! && y >= y1! && y < y2! && levels[y * width + x]! >= light ? 1 : 0;
      });
    });
  });
  return { cells, of };
}

/**
 * The largest relative difference of a loss from torchvision's; how far gradients are from float64, in times of how far
 * torchvision's in single precision are; and the parameters that only one of the two has trained.
 */
export function differences(
  { program, theirs }: Subject,
  outputs: Readonly<Record<string, Float32Array>>,
  { float32, float64 }: LossesGolden,
) {
  const losses = Object.entries(float32.losses).map(([name, value]) => outputs[`loss.${name}`]![0]! / value - 1);
  let [own, torch] = [0, 0];
  const unmatched = new Set(Object.keys(float64.gradients));
  for (const { path } of program.trained) {
    const name = theirs(path);
    if (!unmatched.delete(name)) {
      unmatched.add(name);
      continue;
    }
    const [norm, ...exact] = float64.gradients[name]!;
    const [, ...single] = float32.gradients[name]!;
    const gradient = outputs[`gradient.${path}`]!;
    exact.forEach((product, index) => {
      const direction = uniform(`direction${index}`, gradient.length, -1, 1);
      const found = gradient.reduce((sum, value, at) => sum + value * direction[at]!, 0);
      own += ((found - product) / norm!) ** 2;
      torch += ((single[index]! - product) / norm!) ** 2;
    });
  }
  return { loss: Math.max(...losses.map(Math.abs)), gradients: Math.sqrt(own / torch), unmatched: [...unmatched] };
}
