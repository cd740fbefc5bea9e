import { describe, expect, it } from "vitest";
import { NO_WEBGPU } from "../../support/webgpu.js";
import { apartFromPyTorch } from "./webgpu-steps.js";

describe.skipIf(NO_WEBGPU !== undefined)(`five steps on WebGPU${NO_WEBGPU ? ` (${NO_WEBGPU})` : ""}`, () => {
  it("of ResNet-20 have PyTorch's losses", { timeout: 600_000 }, async () => {
    const apart = await apartFromPyTorch("webgpu_steps");
    expect(apart).toHaveLength(5);
    expect(Math.max(...apart), apart.join()).toBeLessThan(1e-3);
  });
});
