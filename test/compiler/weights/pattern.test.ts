import { describe, expect, test } from "vitest";
import { compileRename, compileWildcard, PatternError } from "../../../compiler/weights/pattern.js";

describe("a rename", () => {
  test.each([
    ["conv{s}.{b}.conv{k}", "layer{s - 1}.{b}.conv{k}", "conv4.22.conv2", "layer3.22.conv2"],
    ["conv1.conv", "conv1", "conv1.conv", "conv1"],
    ["conv{s}.{b}.conv{k}", "res{s}{b:a}_branch2{k - 1:a}", "conv3.5.conv2", "res3f_branch2b"],
    ["conv3.conv{k}", "features.{k + k + 8}", "conv3.conv4", "features.16"],
    ["conv3.conv{k}", "features.{2 * k + 8}", "conv3.conv4", "features.16"],
    ["res{s}{b:a}.x", "conv{s}.{b}", "res4c.x", "conv4.2"],
    ["layer{s - 1}.{b}", "conv{s}.{b + 1}", "layer3.0", "conv4.1"],
    ["a{n}.b{n}", "c{n}", "a7.b7", "c7"],
    ["x.{a}", "{2 + a - 1}.y", "x.4", "5.y"],
    ["{s}.{b}", "{3 * s + 2 * b * s}", "2.5", "26"],
    ["{2 * k + 1}", "{k}", "7", "3"],
    ["inner{i}", "top.{4 - i}", "inner1", "top.3"],
    ["body.{*}", "backbone.{*}", "body.conv1.0.bn", "backbone.conv1.0.bn"],
    ["{*}.conv{k}", "{k}/{*}", "a.conv1.conv2", "2/a.conv1"],
    ["{*}", "{*}+{*}", "a", "a+a"],
    ["conv{s}", "x{s}", "conv123456", "x123456"],
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
    ["what no whole number gives", "{2 * k}", "{k}", "7"],
    ["some text, not none", "body.{*}", "{*}", "body."],
    ["numbers of seven digits", "conv{s}", "x{s}", "conv1234567"],
  ])("does not match: %s", (_why, ours, theirs, path) => {
    expect(compileRename(ours, theirs)(path)).toBeUndefined();
  });

  test.each([
    ["{a + b}", "x", /has to be one variable/, "{a + b}"],
    ["{a * a}", "x", /has to be one variable/, "{a * a}"],
    ["{k - k}", "x", /has to be one variable/, "{k - k}"],
    ["{1}", "x", /has to be one variable/, "{1}"],
    ["conv{s}", "{t}", /t does not occur in "conv\{s\}"/, "{t}"],
    ["conv{s}", "a{*}", /\{\*\} does not occur in "conv\{s\}"/, "{*}"],
    ["conv{s", "x", /a brace has no partner/, "{"],
    ["conv{s}", "x}", /a brace has no partner/, "}"],
    ["conv{s / 2}", "x", /no sum of variables/, "{s / 2}"],
    ["conv{s *}", "x", /no sum of variables/, "{s *}"],
    ["conv{s}", "x{s:b}", /no sum of variables/, "{s:b}"],
    ["conv{}", "x", /no sum of variables/, "{}"],
    ["conv{2s}", "x", /no sum of variables/, "{2s}"],
    ["{*}.{*}", "x", /more than one \{\*\}/, "{*}"],
    ["{a}{b}", "x", /nothing between them/, "{b}"],
    ["{a}{*}", "x", /nothing between them/, "{*}"],
  ])("is refused: %s, %s", (ours, theirs, message, place) => {
    const refused = (): PatternError => {
      try {
        compileRename(ours, theirs);
      } catch (error) {
        return error as PatternError;
      }
      throw new Error("it is not refused");
    };
    const { message: said, side, start, end } = refused();
    expect(refused()).toBeInstanceOf(PatternError);
    expect(said).toMatch(message);
    expect((side === "ours" ? ours : theirs).slice(start, end)).toBe(place);
  });

  test("is refused with more than 32 holes", () => {
    expect(() => compileRename("a", "{a}".repeat(33))).toThrow("32 holes at most");
  });

  test("takes no time that grows faster than names", () => {
    const rename = compileRename(Array.from({ length: 32 }, (_, i) => `{v${i}}1`).join(""), "x");
    const begin = performance.now();
    expect(rename("1".repeat(2000) + "x")).toBeUndefined();
    expect(performance.now() - begin).toBeLessThan(500);
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
