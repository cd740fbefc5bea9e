/**
 * torchvision's one-stage detectors with random weights, compiled here, find what torchvision finds: hundreds of boxes that
 * pass the threshold, on several sizes of images, batches of unlike images, and where nothing is there to find.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";
import { detectorInput, stack } from "../../../runtime/images/detector-input.js";
import { openSession, type Session } from "../../../runtime/onnx/session.js";
import { matchedValues, matchWeights } from "../../../runtime/weights/index.js";
import { differenceFrom, fasterRcnnImage, fasterRcnnTensor, floats } from "../../support/fasterrcnn-golden.js";
import { expectSame, listOf } from "../../support/found.js";
import { oneStageGoldens, oneStageSource, type OneStageGolden } from "../../support/one-stage-golden.js";

interface Detector {
  /** Of the goldens. */
  readonly name: string;
  readonly target: string;
  /** With images scaled to these sides. */
  readonly scaled: (shorter: number, longest: number) => string;
  /** Sides of a batch are multiples of this. */
  readonly padTo: number;
  /** What torchvision's labels are more than ours: those of a softmax count the background. */
  readonly firstLabel: 0 | 1;
}

const rescaled = (detector: string) => (shorter: number, longest: number) =>
  `${detector}(how: torchvision_detection(shorter: ${shorter}, longest: ${longest}))`;

const DETECTORS: readonly Detector[] = [
  { name: "retinanet", target: "RetinaNet", scaled: rescaled("RetinaNet"), padTo: 32, firstLabel: 0 },
  { name: "ssd", target: "SSD300", scaled: () => "SSD300", padTo: 1, firstLabel: 1 },
  { name: "fcos", target: "FCOS", scaled: rescaled("FCOS"), padTo: 32, firstLabel: 0 },
];

/** Goldens of a detector whose weights are the same. */
function byWeights(name: string): (readonly [string, OneStageGolden])[][] {
  const found = new Map<string, (readonly [string, OneStageGolden])[]>();
  for (const each of oneStageGoldens(name)) {
    const weights = JSON.stringify(each[1].ranges);
    found.set(weights, [...(found.get(weights) ?? []), each]);
  }
  return [...found.values()];
}

/** What the network is given. */
function inputOf({ scaled, padTo }: Detector, golden: OneStageGolden) {
  const { images, tensor, shorter = 800, longest = 1333 } = golden.input;
  if (tensor) {
    const rows = golden.sizes.flatMap(([height, width]) => [height, width, height, width, 1, 1]);
    return {
      image: { data: fasterRcnnTensor(golden), shape: golden.image.shape },
      info: { data: Float32Array.from(rows), shape: [golden.sizes.length, 6] },
    };
  }
  const { preprocess } = elaborate(parseTarget(scaled(shorter, longest))).model!;
  const inputs = images.map(({ name, size }) => detectorInput(fasterRcnnImage(name, size), preprocess!));
  return stack(inputs, padTo);
}

const suites = DETECTORS.flatMap((detector) =>
  byWeights(detector.name).map((goldens) => {
    const cases = goldens.map(([name]) => name).join(", ");
    return [`${detector.name}: ${cases}`, detector, goldens] as const;
  }),
);

describe.each(suites)("torchvision's %s", (_, detector, goldens) => {
  let session: Session;
  beforeAll(async () => {
    const { model } = elaborate(parseTarget(detector.target));
    const match = matchWeights(
      oneStageSource(detector.name, goldens[0]![1]),
      model!.graph.parameters,
      model!.weightMaps,
    );
    const { missing, unexpected, misshaped } = match;
    expect({ missing, unexpected, misshaped }).toEqual({ missing: [], unexpected: [], misshaped: [] });
    const { chunks, byteLength } = emitModel(model!, { weights: matchedValues(match) });
    session = await openSession(concat(chunks, byteLength), { device: "cpu" });
  }, 120_000);
  afterAll(() => session.close());

  test.each(goldens)(
    "%s",
    async (_name, golden) => {
      const { image, info } = inputOf(detector, golden);
      expect(image.shape).toEqual(golden.image.shape);
      expect(differenceFrom(golden.image, image.data)).toBeLessThan(1e-5);
      const outputs = ["boxes", "scores", "labels", "images"] as const;
      const results = await session.run({ image, image_info: info }, outputs);
      const [boxes, scores, labels, images] = outputs.map((name) => results[name]!.data as Float32Array);
      const all = listOf(labels!, scores!, boxes!);
      for (const [row, theirs] of golden.found.entries()) {
        const ours = all.filter((_found, index) => Number(images![index]) === row);
        const theirLabels = theirs.labels.map((label) => label - detector.firstLabel);
        expectSame(ours, listOf(theirLabels, floats(theirs.scores), floats(theirs.boxes)));
      }
      expect([...images!].every((row) => Number(row) < golden.found.length)).toBe(true);
    },
    60_000,
  );
});
