import sharp from "sharp";
import { expect, test } from "vitest";
import { cocoReport, vocReport } from "../../../cli/eval/detection-report.js";
import { evaluateCoco } from "../../../runtime/detection/evaluate/coco.js";
import { evaluateVoc } from "../../../runtime/detection/evaluate/voc.js";
import { drawCocoCurves, drawVocCurves } from "../../../runtime/figures/detection-curves.js";
import type { Annotations } from "../../../runtime/data/objects.js";

function data(classes: number): Annotations {
  return {
    images: [{ id: 1, file: "1.png" }],
    categories: Array.from({ length: classes }, (_, id) => ({ id: id + 1, name: `class <${id + 1}>` })),
    // The last class has no object.
    objects: Array.from({ length: classes - 1 }, (_, id) => ({
      id: id + 1,
      image: 1,
      category: id + 1,
      box: [10 * id, 0, 10, 10] as const,
      area: 100,
      isCrowd: false,
      isDifficult: false,
    })),
    warnings: [],
  };
}
const detections = [
  { image: 1, category: 1, box: [0, 0, 10, 10], score: 0.9 },
  { image: 1, category: 2, box: [500, 0, 10, 10], score: 0.8 },
  { image: 1, category: 2, box: [10, 0, 10, 10], score: 0.7 },
] as const;

test.each([3, 30])("curves of %d classes are drawn", async (classes) => {
  const coco = drawCocoCurves(evaluateCoco(data(classes), detections));
  const voc = drawVocCurves(evaluateVoc(data(classes), detections, { metric: "voc10" }));
  for (const svg of [coco, voc]) {
    // Raw names would be markup.
    expect(svg).toContain("class &lt;1&gt; 1.000");
    expect(svg).toContain("class &lt;2&gt; 0.500");
    expect(svg).not.toContain(`class &lt;${classes}&gt;`);
    expect((await sharp(Buffer.from(svg)).metadata()).width).toBeGreaterThan(400);
  }
});

test("nothing to find is drawn and reported", () => {
  const nothing = { ...data(2), objects: [] };
  expect(drawCocoCurves(evaluateCoco(nothing, detections))).toContain("mean none");
  expect(drawVocCurves(evaluateVoc(nothing, detections, { metric: "voc07" }))).toContain("mean none");
  expect(vocReport(evaluateVoc(nothing, detections, { metric: "voc07" }))).toMatch(/^mean +-$/m);
});

test("reports give the classes and the twelve numbers in percent", () => {
  const report = cocoReport(evaluateCoco(data(3), detections));
  expect(report).toMatch(/^class <1> +1 +100\.0 +100\.0 +100\.0 +100\.0$/m);
  expect(report).toMatch(/^class <2> +1 +50\.0 /m);
  expect(report).toMatch(/^class <3> +0 +- +- +- +-$/m);
  expect(report).toMatch(/^AP +75\.0 /m);
  expect(report).toMatch(/^APl +- /m);
  expect(vocReport(evaluateVoc(data(3), detections, { metric: "voc10" }))).toMatch(/^mean +75\.0$/m);
});
