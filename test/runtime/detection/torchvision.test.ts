/**
 * torchvision's detector with random weights, compiled here, finds what torchvision finds: hundreds of boxes that pass the
 * threshold, on several sizes of images, batches of unlike images, and where nothing is there to find.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";
import { detectorInput, stack } from "../../../runtime/images/detector-input.js";
import { openSession, type Session } from "../../../runtime/onnx/session.js";
import { matchedValues, matchWeights } from "../../../runtime/weights/index.js";
import {
  differenceFrom,
  fasterRcnnGoldens,
  fasterRcnnImage,
  fasterRcnnSource,
  fasterRcnnTensor,
  floats,
  type FasterRcnnGolden,
} from "../../support/fasterrcnn-golden.js";
import { expectSame, listOf } from "../../support/found.js";

/** Images that the same weights look at. */
const byWeights = new Map<string, [name: string, golden: FasterRcnnGolden][]>();
for (const each of fasterRcnnGoldens()) {
  const weights = JSON.stringify(each[1].ranges);
  byWeights.set(weights, [...(byWeights.get(weights) ?? []), each]);
}

/** What the network is given, and the image of each row. */
function inputOf(golden: FasterRcnnGolden) {
  const { images, tensor, shorter = 800, longest = 1333 } = golden.input;
  if (tensor) {
    const rows = golden.sizes.flatMap(([height, width]) => [height, width, height, width, 1, 1]);
    return {
      image: { data: fasterRcnnTensor(golden), shape: golden.image.shape },
      info: { data: Float32Array.from(rows), shape: [golden.sizes.length, 6] },
    };
  }
  const { model } = elaborate(
    parseTarget(`FasterRCNN_FPN(how: torchvision_detection(shorter: ${shorter}, longest: ${longest}))`),
  );
  const { preprocess } = model!;
  const inputs = images.map(({ name, size }) => detectorInput(fasterRcnnImage(name, size), preprocess!));
  return stack(inputs, 32);
}

describe.each([...byWeights.values()].map((goldens) => [goldens.map(([name]) => name).join(", "), goldens] as const))(
  "torchvision's detector: %s",
  (_, goldens) => {
    let session: Session;
    beforeAll(async () => {
      const { model } = elaborate(parseTarget("FasterRCNN_FPN"));
      const match = matchWeights(fasterRcnnSource(goldens[0]![1]), model!.graph.parameters, model!.weightMaps);
      const { chunks, byteLength } = emitModel(model!, { weights: matchedValues(match) });
      session = await openSession(concat(chunks, byteLength), { device: "cpu" });
    }, 120_000);
    afterAll(() => session.close());

    test.each(goldens)(
      "%s",
      async (_name, golden) => {
        const { image, info } = inputOf(golden);
        expect(image.shape).toEqual(golden.image.shape);
        expect(differenceFrom(golden.image, image.data)).toBeLessThan(1e-5);
        const outputs = ["boxes", "scores", "labels", "images"] as const;
        const results = await session.run({ image, image_info: info }, outputs);
        const [boxes, scores, labels, images] = outputs.map((name) => results[name]!.data as Float32Array);
        for (const [row, theirs] of golden.found.entries()) {
          const here = [...labels!.keys()].filter((i) => Number(images![i]) === row);
          const all = listOf(labels!, scores!, boxes!);
          const ours = here.map((i) => all[i]!);
          const classes = theirs.labels.map((label) => label - 1);
          expectSame(ours, listOf(classes, floats(theirs.scores), floats(theirs.boxes)));
        }
        expect([...images!].every((image) => Number(image) < golden.found.length)).toBe(true);
      },
      60_000,
    );
  },
);
