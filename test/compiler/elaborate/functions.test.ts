/** Functions of a file: `let double(n) = 2 * n`. */
import { describe, expect, it } from "vitest";
import { check, elaborate, parseTarget } from "../../../compiler/index.js";
import { memoryHost } from "../../../compiler/host.js";

const network = (body: string, before: string): string =>
  `${before}\nnetwork Net { input image 3x16x16   conv 1x1, 8   ${body} }`;
const told = (source: string): string[] =>
  check([{ path: "net.resnet", text: source }]).diagnostics.map(({ code, message }) => `${code}: ${message}`);
const holds = (condition: string, before: string): void =>
  expect(told(network(`assert ${condition}   relu`, before))).toEqual([]);

describe("a function", () => {
  it("gives its expression for its arguments, by place or name, with defaults", () => {
    holds("scaled(3) == 6 and scaled(3, 4) == 12 and scaled(by: 3, n: 2) == 6", "let scaled(n, by = 2) = n * by");
    holds("constant() == 5", "let constant() = 5");
  });

  it("knows what its file declares, and calls others and itself", () => {
    const before = `let base = 8
      let round_up(n) = base * ceil(n / base)
      let power(n, e) = if e == 0 then 1 else n * power(n, e - 1)
      let all(ns, i = 0) = if i == len(ns) then [] else [round_up(ns[i])] + all(ns, i + 1)`;
    holds("round_up(9) == 16 and power(2, 10) == 1024 and all([1, 8, 20]) == [8, 8, 24]", before);
  });

  it("is a value, and gives values of any kind", () => {
    const before = `let norm_of(width) = if width % 32 == 0 then group_norm(32) else bn
      let names_of(classes) = if classes == 2 then ["a", "b"] else none
      block unit(width, norm) { conv 1x1, width   norm(width) }`;
    const host = memoryHost({ "net.resnet": network("unit(64, norm_of)   unit(8, norm_of)   norm_of(32)", before) });
    const { model, diagnostics } = elaborate(parseTarget("net.resnet"), { host });
    expect(diagnostics.map(({ code }) => code)).toEqual(["invalid-shape"]);
    expect(model).toBeUndefined();
    holds("names_of(3) == none and len(names_of(2)) == 2 and norm_of(8) == bn", before);
    const source = network("unit(64, norm_of)   unit(8, norm_of)", before);
    const found = elaborate(parseTarget("net.resnet"), { host: memoryHost({ "net.resnet": source }) });
    expect(found.model!.graph.nodes.map(({ path }) => path)).toEqual([
      "conv",
      "unit1.conv",
      "unit1.group_norm",
      "unit2.conv",
      "unit2.bn",
    ]);
  });

  it("is imported", () => {
    const host = memoryHost({
      "sizes.resnet": "let half(n) = floor(n / 2)",
      "net.resnet": network("conv 1x1, half(9)", 'import { half } from "sizes"'),
    });
    const { model } = elaborate(parseTarget("net.resnet"), { host });
    expect(model!.graph.outputs[0]!.value.type.shape[1]).toBe(4);
  });

  it("tells where it was called", () => {
    const source = network("conv 1x1, half(relu)", "let half(n) = n / 2");
    const [only, ...others] = check([{ path: "net.resnet", text: source }]).diagnostics;
    expect(others).toEqual([]);
    expect(only!.message).toBe("a number is needed here, not the layer `relu`");
    expect(only!.chain.map(({ label }) => label)).toEqual(["network Net", "function half"]);
  });

  it("needs its arguments, and ends", () => {
    const before = "let add_up(a, b) = a + b\nlet endless(n) = endless(n + 1)";
    expect(told(network("conv 1x1, add_up(1)", before))).toEqual(["missing-argument: `add_up` needs `b`"]);
    expect(told(network("conv 1x1, add_up(1, 2, 3)", before))[0]).toMatch(/^too-many-arguments: /);
    expect(told(network("conv 1x1, add_up(1, c: 3)", before))[0]).toMatch(/^unknown-argument: `add_up` has no `c`/);
    expect(told(network("conv 1x1, endless(1)", before))[0]).toMatch(
      /^nesting-too-deep|^too-large|^endless-definition/,
    );
    expect(told(network("conv 1x1, add_up", before))).toEqual([
      "wrong-type: `channels` of `conv` must be a whole number, not the function `add_up`",
    ]);
    expect(told(network("add_up", before))).toEqual(["not-a-layer: the function `add_up` can't stand among layers"]);
    expect(told(network("add_up(1, 2)", before))).toEqual(["not-a-layer: 3 can't stand among layers"]);
  });

  it("warns of a parameter that nothing uses", () => {
    expect(told("let first(a, b) = a")).toEqual(["unused-name: nothing uses `b`"]);
  });
});
