/** Which preprocessing a network has after other people's weights were loaded. */
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadWeights } from "../../../runtime/weights/index.js";
import { elaborate } from "../../../compiler/index.js";
import { writeSafetensors } from "../../../runtime/weights/write-safetensors.js";
import { temporaryFolder } from "../../support/weight-files.js";

/** A network whose preprocessing is `how`, and weights that were trained with `trained(shorter: 64)`. */
function network(how: string) {
  const text = `
    preprocess trained(shorter = 64) { resize_shorter shorter   normalize(color: bgr) }
    preprocess other { resize_shorter 32 }
    weights theirs { format pytorch   rename "fc", "last"   trained_with trained }
    network Tiny { input image 3x8x8   preprocess ${how}   weights theirs   global_avg_pool   fc 2 }
  `;
  return elaborate({ file: "tiny.resnet" }, { host: { read: () => text } }).model!;
}

describe("weights that were trained with a preprocessing", () => {
  const folder = temporaryFolder();

  async function preprocessWith(how: string) {
    const file = join(folder, "theirs.safetensors");
    const tensor = (name: string, ...shape: number[]) => ({
      name,
      dtype: "float32" as const,
      shape,
      data: () => new Float32Array(shape.reduce((size, length) => size * length, 1)),
    });
    await writeSafetensors(file, [tensor("last.weight", 2, 3), tensor("last.bias", 2)], { format: "pt" });
    const model = network(how);
    const loaded = await loadWeights(model, file, {});
    loaded.close();
    return loaded.emit.preprocess ?? model.preprocess;
  }

  it("bring it with them", async () => {
    expect(await preprocessWith("other")).toMatchObject({
      name: "trained",
      transforms: [
        { kind: "resize_shorter", length: 64 },
        { kind: "normalize", color: "bgr" },
      ],
    });
  });

  it("leave the same one as it was asked for", async () => {
    const preprocess = await preprocessWith("trained(shorter: 48)");
    expect(preprocess).toMatchObject({
      name: "trained",
      transforms: [
        { kind: "resize_shorter", length: 48 },
        { kind: "normalize", color: "bgr" },
      ],
    });
  });
});
