/** Detection operators on WebGPU, a software adapter: pooling as it is written for it, beside plain loops; others beside the processor. */
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { runInNode } from "../../../support/run-in-node.js";
import { NO_WEBGPU, WEBGPU_ENV } from "../../../support/webgpu.js";
import { detections } from "./detector.js";
import { roiAlign, roiPool } from "./pooled.js";
import { expectSame, runOperator, type Input, type Tensor } from "./run.js";
import { CASES, DETECTORS, EXACT, IMAGE } from "./webgpu.cases.js";

describe.skipIf(NO_WEBGPU !== undefined)(`regions on WebGPU${NO_WEBGPU ? ` (${NO_WEBGPU})` : ""}`, () => {
  let ran: {
    readonly results: Readonly<Record<string, readonly Tensor[] | string>>;
    readonly found: Readonly<Record<string, readonly Tensor[] | string>>;
  };
  beforeAll(async () => {
    ran = await runInNode(path.join(import.meta.dirname, "session.webgpu.ts"), WEBGPU_ENV);
  }, 300_000);

  it.each(Object.keys(CASES))("%s", async (name) => {
    const { op, inputs, attributes } = CASES[name]!;
    const result = ran.results[name]!;
    if (typeof result === "string") expect.fail(result);
    const loops = { roi_pool: roiPool, roi_align: roiAlign }[op];
    const [features, regions] = inputs as readonly [Input, Input];
    // Gradients are held against central differences on the processor (gradients.test.ts), others against loops there.
    const expected = loops ? [loops(features, regions, attributes)] : await runOperator(op, inputs, attributes);
    expect(result.length).toBe(expected.length);
    const isExact = op === "roi_pool" || EXACT.has(op);
    result.forEach((tensor, index) => expectSame(tensor, expected[index]!, isExact ? 0 : 1e-4, name));
  });

  it.each(Object.keys(DETECTORS))("a detector finds there what it finds on the processor: %s", async (name) => {
    const found = ran.found[name]!;
    if (typeof found === "string") expect.fail(found);
    const expected = await detections(DETECTORS[name]!, IMAGE, "cpu");
    expect(expected[1]!.data.length).toBeGreaterThan(4);
    found.forEach((tensor, index) => expectSame(tensor, expected[index]!, 1e-3, name));
  });
});
