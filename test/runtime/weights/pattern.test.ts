import { describe, expect, test } from "vitest";
import { compileRename, compileWildcard } from "../../../runtime/weights/pattern.js";
import { WeightsError } from "../../../runtime/weights/source.js";

describe("a rename", () => {
  test.each([
    ["conv{s}.{b}.conv{k}", "layer{s - 1}.{b}.conv{k}", "conv4.22.conv2", "layer3.22.conv2"],
    ["conv1.conv", "conv1", "conv1.conv", "conv1"],
    ["conv{s}.{b}.conv{k}", "res{s}{b:a}_branch2{k - 1:a}", "conv3.5.conv2", "res3f_branch2b"],
    ["conv3.conv{k}", "features.{k + k + 8}", "conv3.conv4", "features.16"],
    ["res{s}{b:a}.x", "conv{s}.{b}", "res4c.x", "conv4.2"],
    ["layer{s - 1}.{b}", "conv{s}.{b + 1}", "layer3.0", "conv4.1"],
    ["a{n}.b{n}", "c{n}", "a7.b7", "c7"],
    ["x.{a}", "{2 + a - 1}.y", "x.4", "5.y"],
  ])("%s, %s: %s is %s", (ours, theirs, path, expected) => {
    expect(compileRename(ours, theirs)(path)).toBe(expected);
  });

  test.each([
    ["a dot is a dot", "conv1.conv", "x", "conv1xconv"],
    ["all of the path", "conv1", "x", "conv1.conv"],
    ["a number, not a word", "conv{s}", "x{s}", "convolution"],
    ["a letter, not a number", "res{s:a}", "x{s}", "res1"],
    ["one variable, one value", "a{n}.b{n}", "c{n}", "a7.b8"],
    ["no negative number", "conv{s}", "layer{s - 2}", "conv1"],
    ["no letter beyond z", "b{n}", "{n:a}", "b26"],
  ])("does not match: %s", (_why, ours, theirs, path) => {
    expect(compileRename(ours, theirs)(path)).toBeUndefined();
  });

  test.each([
    ["{a + b}", "x", /has to be one variable/],
    ["{1}", "x", /has to be one variable/],
    ["conv{s}", "{t}", /t does not occur in "conv\{s\}"/],
    ["conv{s", "x", /a brace has no partner/],
    ["conv{s}", "x}", /a brace has no partner/],
    ["conv{s * 2}", "x", /no sum of variables/],
    ["conv{s}", "x{s:b}", /no sum of variables/],
    ["conv{}", "x", /no sum of variables/],
    ["conv{s}", "x{1 - s}", /no sum of variables/],
  ])("is refused: %s, %s", (ours, theirs, message) => {
    expect(() => compileRename(ours, theirs)).toThrow(WeightsError);
    expect(() => compileRename(ours, theirs)).toThrow(message);
  });
});

test.each([
  ["fc.*", "fc.weight", true],
  ["fc.*", "head.fc.weight", false],
  ["*.num_batches_tracked", "bn1.num_batches_tracked", true],
  ["*.num_batches_tracked", "bn1.num_batches_tracked.x", false],
  ["a*b*c", "abc", true],
  ["a*b*c", "a.b.b.c", true],
  ["a*b*c", "acb", false],
  ["ab*ba", "aba", false],
  ["a.c", "abc", false],
  ["*", "", true],
])("the wildcard %s and %s: %s", (pattern, name, expected) => {
  expect(compileWildcard(pattern)(name)).toBe(expected);
});
