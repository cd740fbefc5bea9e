/** Receptive fields, held to those of Araujo et al. 2019 (distill.pub/2019/computing-receptive-fields) and to sums by hand. */
import { expect, test } from "vitest";
import { elaborate } from "../../compiler/analyze.js";
import { memoryHost } from "../../compiler/host.js";
import type { Model } from "../../compiler/model.js";
import { receptiveFields } from "../../compiler/receptive-field.js";
import { parseTarget } from "../../compiler/target.js";

function fieldAt(model: Model, path: string): unknown {
  const { nodes, parameters } = model.graph;
  const node = nodes.findLast((each) => each.path === path || each.path.startsWith(`${path}.`));
  const field = receptiveFields(nodes, new Set(parameters.map(({ value }) => value.id))).get(node!.outputs[0]!.id);
  return field && [field.size === "whole" ? "whole" : field.size[0], field.stride[0]];
}

test.each([
  ["ResNet50", "conv4", [291, 16]],
  ["ResNet50", "conv5", [483, 32]],
  ["ResNet101", "conv5", [1027, 32]],
  ["ResNet152", "conv5", [1507, 32]],
  ["VGG16", "conv5", [212, 32]],
  ["ResNet50", "head", ["whole", 32]],
])("%s %s", (name, path, expected) => {
  const { model } = elaborate(parseTarget(name));
  expect(fieldAt(model!, path)).toEqual(expected);
});

test.each([
  // 3, then 2 x 2 more between pixels that are 2 apart.
  ["conv 3x3, 4, /2   conv 3x3, 4, dilation: 2", [3 + 2 * 2 * 2, 2]],
  // Two neighbours of stride 4 meet in a pixel between them.
  ["conv 4x4, 4, /4, pad: 0   upsample 4, bilinear", [8, 1]],
  ["conv 4x4, 4, /4, pad: 0   upsample 4", [4, 1]],
  ["conv 2x2, 4, /2, pad: 0   conv_transpose 2x2, 4, /2, pad: 0", [2, 1]],
  ["conv 2x2, 4, /2, pad: 0   conv_transpose 4x4, 4, /2", [4, 1]],
  ["concat { conv 1x1, 4 } { conv 5x5, 4 }", [5, 1]],
  ["a = conv 3x3, 4, /2   conv 3x3, 4, /2   resize_like a", [7, 2]],
])("%s", (body, expected) => {
  const host = memoryHost({ "a.resnet": `network A { input image 3x32x32   ${body}   relu }` });
  const { model, diagnostics } = elaborate(parseTarget("a.resnet"), { host });
  expect(diagnostics).toEqual([]);
  expect(fieldAt(model!, "relu")).toEqual(expected);
});
