import { describe, expect, it } from "vitest";
import { ShapeError } from "../../../compiler/ops/operator.js";
import { formatShape, symbol, type Dim } from "../../../compiler/ir/dim.js";
import type { Attributes, Value } from "../../../compiler/ir/types.js";
import { operator } from "../../../compiler/ops/index.js";
import { layerGraph } from "./graphs.js";

const [N, H, W] = [symbol("N"), symbol("H"), symbol("W")];

function output(op: string, shapes: readonly (readonly Dim[])[], attributes: Attributes = {}): string {
  return formatShape(layerGraph(op, shapes, attributes).outputs[0]!.value.type.shape);
}

function error(op: string, shapes: readonly (readonly Dim[])[], attributes: Attributes = {}): ShapeError {
  try {
    layerGraph(op, shapes, attributes);
  } catch (thrown) {
    if (thrown instanceof ShapeError) return thrown;
    throw thrown;
  }
  throw new Error(`${op} takes it`);
}

describe("shapes", () => {
  it("follow table 1 of the paper", () => {
    expect(output("conv", [[N, 3, 224, 224]], { kernel: [7, 7], channels: 64, stride: [2, 2] })).toBe(
      "[N, 64, 112, 112]",
    );
    expect(output("max_pool", [[N, 64, 112, 112]], { kernel: [3, 3], stride: [2, 2] })).toBe("[N, 64, 56, 56]");
    expect(output("global_avg_pool", [[N, 2048, 7, 7]])).toBe("[N, 2048, 1, 1]");
    expect(output("fc", [[N, 2048, 1, 1]], { channels: 1000 })).toBe("[N, 1000]");
  });

  it("are expressions where height and width are symbols", () => {
    expect(output("conv", [[N, 3, H, W]], { kernel: [3, 3], channels: 8, stride: [2, 2] })).toBe(
      "[N, 8, floor((H+1)/2), floor((W+1)/2)]",
    );
    expect(output("conv", [[N, 3, H, W]], { kernel: [3, 3], channels: 8, pad: [0, 0] })).toBe("[N, 8, H-2, W-2]");
    expect(output("flatten", [[N, 8, H, W]])).toBe("[N, 8*H*W]");
    expect(output("upsample", [[N, 8, H, W]], { factor: [2, 2] })).toBe("[N, 8, 2*H, 2*W]");
    const twice = { kernel: [2, 2], channels: 4, stride: [2, 2] };
    expect(output("conv_transpose", [[N, 8, H, W]], twice)).toBe("[N, 4, 2*H, 2*W]");
    const odd = { kernel: [3, 3], channels: 4, stride: [2, 2] };
    expect(output("conv_transpose", [[N, 8, H, W]], odd)).toBe("[N, 4, 2*H-1, 2*W-1]");
    expect(output("conv_transpose", [[N, 8, H, W]], { ...odd, output_pad: [1, 1] })).toBe("[N, 4, 2*H, 2*W]");
    expect(output("fc", [[N, 8, H, W]], { channels: 4, each: "pixel" })).toBe("[N, 4, H, W]");
    expect(output("crop", [[N, 8, H, W]], { size: [5, 7] })).toBe("[N, 8, 5, 7]");
  });

  it("of Caffe's pool1 differ from a padded pool's on odd sizes", () => {
    const caffe = { kernel: [3, 3], stride: [2, 2], pad: [0, 0], ceil: true };
    expect(output("max_pool", [[N, 64, 112, 333]], caffe)).toBe("[N, 64, 56, 166]");
    expect(output("max_pool", [[N, 64, 112, 333]], { kernel: [3, 3], stride: [2, 2] })).toBe("[N, 64, 56, 167]");
  });

  it("count multiply-adds as the paper does", () => {
    const graph = layerGraph("conv", [[N, 64, 56, 56]], { kernel: [3, 3], channels: 128, stride: [2, 2], groups: 2 });
    const node = graph.nodes[0]!;
    const types = (values: readonly Value[]) => values.map((value) => value.type);
    const macs = operator("conv").macs!(
      types(node.inputs),
      types(node.outputs),
      node.attributes,
      (dim) => dim as number,
    );
    expect(macs).toBe(28 * 28 * 128 * 3 * 3 * 32);
  });
});

it("multiply-adds of a transposed convolution are those of the convolution that it is the transpose of", () => {
  const macs = (op: string, shape: readonly Dim[], attributes: Attributes): number => {
    const node = layerGraph(op, [shape], attributes).nodes[0]!;
    const types = (values: readonly Value[]) => values.map((value) => value.type);
    return operator(op).macs!(types(node.inputs), types(node.outputs), node.attributes, (dim) => dim as number);
  };
  const window = { kernel: [4, 4], stride: [2, 2], pad: [1, 1], groups: 2 };
  const forth = macs("conv", [N, 6, 16, 12], { ...window, channels: 8 });
  expect(macs("conv_transpose", [N, 8, 8, 6], { ...window, channels: 6 })).toBe(forth);
  expect(macs("fc", [N, 6, 16, 12], { channels: 8, each: "pixel" })).toBe(16 * 12 * 6 * 8);
});

describe("shape errors", () => {
  it("name both operands and what differs", () => {
    expect(
      error("add", [
        [N, 256, 56, 56],
        [N, 64, 56, 56],
      ]).message,
    ).toBe("adds [N, 64, 56, 56] to [N, 256, 56, 56]: channels differ, 256 and 64");
    expect(
      error("add", [
        [N, 64, 56, 56],
        [N, 64, 28, 28],
      ]).message,
    ).toBe("adds [N, 64, 28, 28] to [N, 64, 56, 56]: height differs, 56 and 28; width differs, 56 and 28");
    expect(
      error("concat", [
        [N, 64, H, W],
        [N, 64, H, 7],
      ]).message,
    ).toBe("concatenates [N, 64, H, W] and [N, 64, H, 7] along the channels: width differs, W and 7");
    expect(
      error("multiply", [
        [N, 64, 56, 56],
        [N, 32, 1, 1],
      ]).message,
    ).toBe("multiplies [N, 64, 56, 56] by [N, 32, 1, 1]: channels differ, 64 and 32");
    expect(
      error("maximum", [
        [N, 64],
        [N, 64, 1, 1],
      ]).message,
    ).toBe("takes the maximum of [N, 64] and [N, 64, 1, 1]: 2 dimensions and 4");
    expect(error("add", [[N, 64, 56, 56]]).message).toBe("add needs two branches or more, got 1");
  });

  it("say what a kernel spans and what it does not fit into", () => {
    expect(error("conv", [[N, 3, 5, 5]], { kernel: [3, 3], channels: 8, dilation: [4, 4], pad: [1, 1] }).message).toBe(
      "conv: the 3x3 kernel with dilation 4x4 spans 9x9, which does not fit into 5x5 padded by 1x1",
    );
    expect(error("avg_pool", [[N, 512, 4, 4]], { kernel: [7, 7], pad: [0, 0] }).message).toBe(
      "avg_pool: the 7x7 kernel spans 7x7, which does not fit into 4x4",
    );
    expect(error("max_pool", [[N, 8, 8, 8]], { kernel: [2, 2], pad: [2, 2] }).message).toBe(
      "max_pool: the padding 2x2 is not smaller than the kernel 2x2",
    );
  });

  it("give the numbers that do not divide", () => {
    expect(error("conv", [[N, 48, 8, 8]], { kernel: [3, 3], channels: 64, groups: 32 }).message).toBe(
      "conv: 48 input channels can't be split into 32 groups",
    );
    expect(error("conv", [[N, 64, 8, 8]], { kernel: [3, 3], channels: 48, groups: 32 }).message).toBe(
      "conv: 48 channels can't be split into 32 groups",
    );
  });

  it("of crops and transposed convolutions say what does not fit", () => {
    expect(error("crop", [[N, 8, 16, 16]], { size: [17, 4] }).message).toBe("crop: 17x4 does not fit into 16x16");
    const wide = { kernel: [1, 1], channels: 4, pad: [8, 8] };
    expect(error("conv_transpose", [[N, 8, 16, 16]], wide).message).toContain("leaves nothing of 16x16");
    const more = { kernel: [3, 3], channels: 4, stride: [2, 2], output_pad: [2, 2] };
    expect(error("conv_transpose", [[N, 8, 16, 16]], more).message).toContain("is not smaller than the stride 2x2");
    for (const op of ["group_norm", "channel_shuffle"]) {
      expect(error(op, [[N, 10, H, W]], { groups: 3 }).message).toBe(`${op}: 10 channels can't be split into 3 groups`);
    }
    expect(error("conv_transpose", [[N, 9, 4, 4]], { kernel: [2, 2], channels: 4, groups: 2 }).message).toBe(
      "conv_transpose: 9 input channels can't be split into 2 groups",
    );
  });

  it("say what to put first", () => {
    const unknown = error("fc", [[N, 512, H, W]], { channels: 10 });
    expect(unknown.message).toBe("fc needs a size that is known when compiling, got [N, 512, H, W]");
    expect(unknown.help).toContain("global_avg_pool");
    expect(error("conv", [[N, 512]], { kernel: [3, 3], channels: 8 }).message).toBe(
      "conv needs [N, channels, height, width], got [N, 512]",
    );
  });

  it("refuse channels that are not there", () => {
    expect(error("pad_channels", [[N, 64, 8, 8]], { channels: 32 }).message).toBe(
      "pad_channels can't make 32 channels of 64",
    );
    expect(error("slice_channels", [[N, 64, 8, 8]], { from: 3, to: 3 }).message).toBe(
      "slice_channels from 3 to 3 leaves nothing",
    );
    expect(error("slice_channels", [[N, 64, 8, 8]], { from: 0, to: 65 }).message).toBe(
      "slice_channels to 65 of a tensor with 64 channels",
    );
  });
});
