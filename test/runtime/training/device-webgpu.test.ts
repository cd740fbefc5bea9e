/** A training on WebGPU: nothing of it is left to the processor, and one number list comes back for an update. */
import path from "node:path";
import { describe, expect, it } from "vitest";
import { runInNode } from "../../support/run-in-node.js";
import { NO_WEBGPU, WEBGPU_ENV } from "../../support/webgpu.js";
import type { DeviceReport } from "./device.webgpu.js";

describe.skipIf(NO_WEBGPU !== undefined)(`a training on WebGPU${NO_WEBGPU ? ` (${NO_WEBGPU})` : ""}`, () => {
  const made = NO_WEBGPU
    ? undefined
    : runInNode<DeviceReport>(path.join(import.meta.dirname, "device.webgpu.ts"), WEBGPU_ENV);

  it("runs every operator there, and reads one output back for an update", { timeout: 600_000 }, async () => {
    const { readBack, fellBack } = (await made)!;
    expect(fellBack).toEqual([]);
    expect(readBack).toEqual([["numbers"], ["numbers"]]);
  });

  it("goes on where the processor stopped, and the other way round", { timeout: 600_000 }, async () => {
    const { losses, apart, names } = (await made)!;
    expect(names).toEqual([]);
    losses["whole"]!.forEach((loss, step) => expect(losses["changing"]![step]).toBeCloseTo(loss, 4));
    expect(apart).toBeLessThan(1e-4);
  });
});
