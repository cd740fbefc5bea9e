import { describe, expect, it } from "vitest";
import { NO_WEBGPU } from "../../support/webgpu.js";
import { apartFromPyTorch } from "./webgpu-steps.js";

describe.skipIf(NO_WEBGPU !== undefined)(`five steps on WebGPU${NO_WEBGPU ? ` (${NO_WEBGPU})` : ""}`, () => {
  it.each([
    ["of ResNet-20", "webgpu_steps"],
    ["with an auxiliary loss", "auxiliary_steps"],
    ["with several labels an image, by binary cross entropy and a focal loss", "several_labels_steps"],
  ])("%s have PyTorch's losses", { timeout: 600_000 }, async (_what, network) => {
    const apart = await apartFromPyTorch(network);
    expect(apart).toHaveLength(5);
    expect(Math.max(...apart), apart.join()).toBeLessThan(1e-3);
  });
});
