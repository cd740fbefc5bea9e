/**
 * What a tiny detector is trained by, beside what two code bases make of the same proposals, objects and random numbers: which
 * anchors and regions are drawn, what they should become, the losses and their gradients
 * (test/oracle/detectron2_targets_golden.py, test/oracle/paper_targets_golden.py).
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runInNode } from "../../support/run-in-node.js";
import { NO_WEBGPU, WEBGPU_ENV } from "../../support/webgpu.js";
import { gradientError, lossError, SUBJECTS, trainTiny, type TargetsGolden } from "./tiny-detector.js";

function expectNear(
  found: readonly (readonly number[])[],
  expected: readonly (readonly number[])[],
  tolerance: number,
) {
  expect(found.length).toBe(expected.length);
  expected.forEach((row, at) =>
    row.forEach((each, axis) => {
      const difference = Math.abs(found[at]![axis]! - each);
      if (!(difference <= tolerance * Math.max(1, Math.abs(each)))) {
        expect.fail(`row ${at}: [${found[at]!.join(", ")}] for [${row.join(", ")}]`);
      }
    }),
  );
}

for (const dialect of Object.keys(SUBJECTS)) {
  const file = new URL(`../../golden/training/${dialect}-targets.json`, import.meta.url);
  const goldens = JSON.parse(readFileSync(file, "utf8")) as readonly TargetsGolden[];

  describe.each(goldens.map((golden, step) => ({ golden, step })))(`${dialect}'s batch $step`, ({ golden, step }) => {
    const made = trainTiny(dialect, golden, step);

    it("has anchors drawn by the same rules, with the same targets", async () => {
      const { of } = await made;
      for (const [image, { positive, negative, targets }] of golden.anchors.entries()) {
        const labels = of("anchors", image).flat();
        const at = (label: number): number[] => [...labels.keys()].filter((anchor) => labels[anchor] === label);
        expect(at(1)).toEqual(positive);
        expect(at(0)).toEqual(negative);
        const all = of("anchorTargets", image, 4);
        expectNear(
          positive.map((anchor) => all[anchor]!),
          targets,
          2e-5,
        );
      }
    });

    it("has regions drawn by the same rules, with the same targets", async () => {
      const { of } = await made;
      for (const [image, { positive, negative, classes, boxes, targets }] of golden.regions.entries()) {
        const [labels, rows] = [of("labels", image).flat(), of("rows", image).flat()];
        const at = (label: number): number[] => [...labels.keys()].filter((place) => labels[place] === label);
        const own = at(1);
        expect(own.map((place) => rows[place])).toEqual(positive);
        expect(at(0).map((place) => rows[place])).toEqual(negative);
        const numbers = of("classes", image).flat();
        expect(own.map((place) => numbers[place])).toEqual(classes);
        const all = of("regions", image, 5);
        expect(all.every(([row]) => row === image)).toBe(true);
        expectNear(
          own.map((place) => all[place]!.slice(1)),
          boxes,
          2e-5,
        );
        const goals = of("regionTargets", image, 4);
        expectNear(
          own.map((place) => goals[place]!),
          targets,
          2e-4,
        );
      }
    });

    it("has the same losses and gradients", async () => {
      const { outputs, trained } = await made;
      expect(lossError(outputs, golden)).toBeLessThan(2e-5);
      expect(trained.map((each) => each.path).sort()).toEqual(Object.keys(golden.gradients).sort());
      expect(gradientError(outputs, golden)).toBeLessThan(1e-4);
    });
  });

  describe.skipIf(NO_WEBGPU !== undefined)(`${dialect} on WebGPU${NO_WEBGPU ? ` (${NO_WEBGPU})` : ""}`, () => {
    // The batch with an image without objects, or with one object: an adapter in software takes long.
    it("has the same losses and gradients", { timeout: 300_000 }, async () => {
      const script = path.join(import.meta.dirname, "tiny-detector.webgpu.ts");
      const env = { ...WEBGPU_ENV, RESNETC_DIALECT: dialect, RESNETC_GOLDEN: fileURLToPath(file), RESNETC_BATCH: "1" };
      const { loss, gradient } = await runInNode<{ loss: number; gradient: number }>(script, env);
      expect(loss).toBeLessThan(1e-4);
      expect(gradient).toBeLessThan(1e-3);
    });
  });
}
