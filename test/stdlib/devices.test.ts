/** Standard networks give on WebGPU what they give on the processor. */
import path from "node:path";
import { describe, expect, it } from "vitest";
import { runInNode } from "../support/run-in-node.js";
import { NO_WEBGPU, WEBGPU_ENV } from "../support/webgpu.js";
import type { DeviceReport } from "./devices.webgpu.js";

describe.skipIf(NO_WEBGPU !== undefined)(`WebGPU${NO_WEBGPU === undefined ? "" : ` (${NO_WEBGPU})`}`, () => {
  it("agrees with the processor within 1e-3", async () => {
    const report = await runInNode<DeviceReport>(path.join(import.meta.dirname, "devices.webgpu.ts"), WEBGPU_ENV);
    expect(report).toHaveLength(11);
    for (const { target, difference } of report) expect(difference, target).toBeLessThan(1e-3);
  }, 300_000);
});
