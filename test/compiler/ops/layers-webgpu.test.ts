/** Every layer runs on WebGPU, and so does its gradient, and they give what they give elsewhere. */
import { SAMPLED } from "./samples.js";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { runInNode } from "../../support/run-in-node.js";
import { NO_WEBGPU, WEBGPU_ENV } from "../../support/webgpu.js";
import type { LayerReport } from "./layers.webgpu.js";

describe.skipIf(NO_WEBGPU !== undefined)(`layers on WebGPU${NO_WEBGPU ? ` (${NO_WEBGPU})` : ""}`, () => {
  it("give what their definition says, with the processor's gradients", { timeout: 300_000 }, async () => {
    const report = await runInNode<readonly LayerReport[]>(
      path.join(import.meta.dirname, "layers.webgpu.ts"),
      WEBGPU_ENV,
    );
    expect(new Set(report.map(({ op }) => op))).toEqual(new Set(SAMPLED));
    for (const { op, sample, output, gradients } of report) {
      expect(output, `${op} of ${sample}`).toBeLessThan(1e-4);
      expect(gradients, `gradients of ${op} of ${sample}`).toBeLessThan(1e-3);
    }
  });
});
