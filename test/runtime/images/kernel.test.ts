import { execFileSync } from "node:child_process";
import path from "node:path";
import { expect, it } from "vitest";
import { resample } from "../../../runtime/images/resample.js";

const folder = path.join(import.meta.dirname, "../../../runtime/images/kernel");

it("the kernel is what its source gives", () => {
  execFileSync(process.execPath, [path.join(folder, "generate.mjs"), "--check"]);
});

it("images of any size: those that need one strip, several, and more memory than is kept", () => {
  for (const [width, height] of [
    [1, 1],
    [700, 700],
    [9000, 3000],
  ] as const) {
    // Constant columns and constant rows stay what they are, whatever the filter.
    const data = new Uint8Array(width * height * 3);
    for (let i = 0; i < data.length; i++) data[i] = 10 + (i % 3);
    const out = resample({ width, height, data }, 50, 40, "bilinear");
    expect([out.width, out.height]).toEqual([50, 40]);
    expect(out.data.every((value, i) => value === 10 + (i % 3))).toBe(true);
  }
});
