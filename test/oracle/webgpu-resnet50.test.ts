/**
 * Five training steps of ResNet-50 at 64x64 on WebGPU beside PyTorch's. With a software adapter they take a quarter of an
 * hour, so they are made by hand:
 *
 *     RESNETC_BY_HAND=1 npx vitest run test/oracle/webgpu-resnet50.test.ts
 *
 * Last done in November 2026 with SwiftShader: 13 minutes of processor time, losses within 2e-5 of PyTorch's.
 */
import { describe, expect, it } from "vitest";
import { apartFromPyTorch } from "../compiler/training/webgpu-steps.js";

describe.skipIf(process.env["RESNETC_BY_HAND"] !== "1")("five steps on WebGPU", () => {
  it("of ResNet-50 have PyTorch's losses", { timeout: 3_600_000 }, async () => {
    const apart = await apartFromPyTorch("resnet50_steps");
    expect(apart).toHaveLength(5);
    expect(Math.max(...apart), apart.join()).toBeLessThan(1e-3);
  });
});
