/** Three steps of the tiny detector on a device, each from the state that the one before left. */
import type * as ort from "#onnxruntime";
import type { Device } from "../../../compiler/device.js";
import { initialValues } from "../../../compiler/emit/initialise.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { heldOn } from "../../../compiler/training/held.js";
import { openDetectorTraining, type TrainingObject } from "../../support/detector-session.js";
import { uniform } from "../../support/oracle-weights.js";
import { tinyDetector } from "../../support/tiny-detector-training.js";

const [N, H, W] = [2, 48, 64];
/** As many rows of them as boxes, of batches that differ in how many there are. */
const OBJECTS: readonly (readonly (readonly TrainingObject[])[])[] = [
  [[{ label: 3, box: [4, 6, 20, 30] }, { label: 7, box: [30, 10, 60, 40] }], [{ label: 5, box: [10, 10, 40, 44] }]], // prettier-ignore
  [[{ label: 1, box: [20, 8, 50, 40] }], [{ label: 0, box: [2, 30, 12, 46] }, { label: 9, box: [30, 4, 62, 20] }, { label: 2, box: [8, 2, 24, 20] }]], // prettier-ignore
  [[{ label: 4, box: [0, 0, 24, 24] }], [{ label: 6, box: [36, 20, 64, 48] }]],
];

/** Every loss of each step, by its name. */
export async function detectorSteps(
  device: Device,
  options: ort.InferenceSession.SessionOptions = {},
): Promise<readonly Readonly<Record<string, number>>[]> {
  const model = tinyDetector();
  const { train } = buildTraining(model, {
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
    batch: N,
    sizes: { H, W },
    device,
    held: heldOn(device),
  });
  const parameters = new Map(model.graph.parameters.map((each) => [each.path, each]));
  const weights = (path: string): Float32Array => {
    const { value, init } = parameters.get(path)!;
    const size = (value.type.shape as readonly number[]).reduce((a, b) => a * b, 1);
    return initialValues(init, size, path, 0);
  };
  const session = await openDetectorTraining(train, weights, options);
  const steps: Record<string, number>[] = [];
  for (const [step, objects] of OBJECTS.entries()) {
    const image = uniform(`image${step}`, N * 3 * H * W, -2, 2);
    const sizes = [[H, W], [H - 8, W - 16]] as const; // prettier-ignore
    const outputs = await session.run({ image, shape: [N, 3, H, W], sizes, objects }, step, 0.01);
    const losses = Object.entries(outputs).filter(([name]) => name.startsWith("loss"));
    steps.push(Object.fromEntries(losses.map(([name, values]) => [name, values[0]!])));
  }
  await session.close();
  return steps;
}
