/** A detector trained on WebGPU beside the processor, and what of it the processor does all the same. */
import path from "node:path";
import { describe, expect, it } from "vitest";
import { runInNode } from "../../support/run-in-node.js";
import { NO_WEBGPU, WEBGPU_ENV } from "../../support/webgpu.js";
import { detectorSteps } from "./detector-steps.js";

interface Made {
  readonly steps: Awaited<ReturnType<typeof detectorSteps>>;
  readonly onProcessor: readonly string[];
}

/** Suppression of proposals, which WebGPU lacks, and the indices and numbers round it: docs/training-graphs.md has them. */
const ON_PROCESSOR = [
  ...["Cast", "Gather", "GatherElements", "Min", "NonMaxSuppression"],
  ...["Range", "Shape", "Squeeze", "Sub", "Unsqueeze"],
];

describe.skipIf(NO_WEBGPU !== undefined)(`a detector on WebGPU${NO_WEBGPU ? ` (${NO_WEBGPU})` : ""}`, () => {
  it("has the processor's losses through three steps", { timeout: 600_000 }, async () => {
    const script = path.join(import.meta.dirname, "detector-steps.webgpu.ts");
    const [here, { steps, onProcessor }] = await Promise.all([
      detectorSteps("cpu"),
      runInNode<Made>(script, WEBGPU_ENV),
    ]);
    expect(steps).toHaveLength(3);
    for (const [step, losses] of here.entries()) {
      expect(Object.keys(losses)).toHaveLength(5);
      for (const [name, loss] of Object.entries(losses)) {
        expect(loss, name).toBeGreaterThan(0);
        expect(Math.abs(steps[step]![name]! / loss - 1), `${name} of step ${step}`).toBeLessThan(1e-3);
      }
    }
    expect(ON_PROCESSOR).toEqual(expect.arrayContaining([...onProcessor]));
    expect(onProcessor).toContain("NonMaxSuppression");
  });
});
