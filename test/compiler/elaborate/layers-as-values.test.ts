/** Layers are values, as blocks are; `none` is what is not given. */
import { describe, expect, it } from "vitest";
import { check, elaborate, parseTarget } from "../../../compiler/index.js";
import { memoryHost } from "../../../compiler/host.js";

const network = (body: string, before = ""): string => `${before}\nnetwork Net { input image 3x16x16   ${body} }`;
const paths = (source: string, target = "net.resnet"): string[] => {
  const { model, diagnostics } = elaborate(parseTarget(target), { host: memoryHost({ "net.resnet": source }) });
  expect(diagnostics).toEqual([]);
  return model!.graph.nodes.map(({ path, op, attributes }) => {
    const { groups, eps, slope } = attributes;
    return [path, op, ...[groups, eps, slope].filter((each) => each !== undefined).map(String)].join(" ");
  });
};
const told = (source: string): string[] =>
  check([{ path: "net.resnet", text: source }]).diagnostics.map(({ code, message }) => `${code}: ${message}`);

const unit = "block unit(width, norm = bn, act = relu) { conv 3x3, width   norm   act }";

describe("a layer as a value", () => {
  it("is the layer where its name stands, called as the layer is", () => {
    expect(paths(network("unit(8)   unit(8, act: silu)", unit))).toEqual([
      "unit1.conv conv 1",
      "unit1.bn bn 0.00001",
      "unit1.relu relu",
      "unit2.conv conv 1",
      "unit2.bn bn 0.00001",
      "unit2.silu silu",
    ]);
  });

  it("keeps the arguments that it is given, and takes more where it stands", () => {
    expect(paths(network("unit(8, norm: group_norm(4), act: leaky_relu(0.2))", unit))).toEqual([
      "unit.conv conv 1",
      "unit.group_norm group_norm 4 0.00001",
      "unit.leaky_relu leaky_relu 0.2",
    ]);
    const most = "block thin(width, norm = group_norm(eps: 1e-3)) { conv 1x1, width   norm(width / 2) }";
    expect(paths(network("thin(8)   thin(4, group_norm)", most))).toEqual([
      "thin1.conv conv 1",
      "thin1.group_norm group_norm 4 0.001",
      "thin2.conv conv 1",
      "thin2.group_norm group_norm 2 0.00001",
    ]);
  });

  it("may be a convolution or a residual, and stand in a list", () => {
    const block = "block with(layer) { layer(8) }   block round(how) { how { relu } }";
    const statements = "with(conv(3x3))   round(residual)   for act in [relu, tanh] { act }";
    expect(paths(network(statements, block))).toEqual([
      "with.conv conv 1",
      "round.relu relu",
      "round.add add",
      "relu relu",
      "tanh tanh",
    ]);
  });

  it("takes a stage's stride", () => {
    const block = "block with(layer) { layer }";
    const { model } = elaborate(parseTarget("net.resnet"), {
      host: memoryHost({
        "net.resnet": network("stage a /2 { conv 3x3, 4 }   stage b /2 { p }", `${block}`)
          .replace("p }", "pool() }")
          .replace("network Net {", "network Net(pool = max_pool(3x3)) {"),
      }),
    });
    expect(model!.graph.outputs[0]!.value.type.shape.slice(1)).toEqual([4, 4, 4]);
  });

  it("takes words as the layer does, also by its other name", () => {
    const block = "block up(how = upsample(2)) { how(mode: bilinear) }";
    expect(paths(network("conv 1x1, 4   up()", block))).toEqual(["conv conv 1", "up.upsample upsample"]);
  });

  it("is given to a network from outside", () => {
    const source = `${unit}\nnetwork Net(norm = bn) { input image 3x16x16   unit(8, norm: norm) }`;
    expect(paths(source, "net.resnet#Net(norm: group_norm(2))")[1]).toBe("unit.group_norm group_norm 2 0.00001");
  });

  it("is no number, and says so", () => {
    expect(told(network("conv 3x3, relu"))).toEqual([
      "wrong-type: `channels` of `conv` must be a whole number, not the layer `relu`",
    ]);
    expect(told(network("conv 3x3, 2 * pad"))).toEqual(["wrong-type: a number is needed here, not the layer `pad`"]);
    expect(told(network("conv 3x3, relu.width"))).toEqual(["unknown-member: the layer `relu` has no `width`"]);
  });

  it("is told what is wrong with its arguments where they are written, and what is missing where it stands", () => {
    expect(told(network("unit(8, act: leaky_relu(slop: 1))", unit))).toEqual([
      "unknown-argument: `leaky_relu` has no `slop`",
    ]);
    expect(told(network("unit(8, group_norm)", unit))).toEqual(["missing-argument: `group_norm` needs `groups`"]);
    expect(told(network("unit(8, group_norm(32))", unit))[0]).toMatch(/^invalid-shape: /);
    expect(told(network("unit(8, act: relu(3))", unit))).toEqual(["too-many-arguments: too many arguments for `relu`"]);
    expect(told(network("unit(8, act: shared)", unit))).toEqual(["unknown-name: nothing here is called `shared`"]);
  });

  it("gives way to a name of the file", () => {
    expect(paths(network("let pad = 2   conv 3x3, 4, pad: pad"))).toEqual(["conv conv 1"]);
  });
});

describe("none", () => {
  it("adds no layer, whatever it is given", () => {
    expect(paths(network("unit(8, none, act: none)   unit(8, none)", unit))).toEqual([
      "unit1.conv conv 1",
      "unit2.conv conv 1",
      "unit2.relu relu",
    ]);
    expect(paths(network("gated(4)", "block gated(width, gate = none) { conv 1x1, width   gate(width / 2) }"))).toEqual(
      ["gated.conv conv 1"],
    );
  });

  it("is, as an argument of a word, as good as left out", () => {
    const block = "block own(kernel, pad = none, mode = none) { conv kernel, 4, pad: pad   upsample 2, mode }";
    const heights = (call: string): unknown => {
      const host = memoryHost({ "net.resnet": network(call, block) });
      return elaborate(parseTarget("net.resnet"), { host }).model!.graph.outputs[0]!.value.type.shape[2];
    };
    expect(heights("own(1x7)")).toBe(32);
    expect(heights("own(1x7, pad: 1)")).toBe(36);
    expect(told(network("conv 3x3, none"))).toEqual(["missing-argument: `conv` needs `channels`"]);
  });

  it("is a parameter's value, and not its default", () => {
    const block = "block at(width, after = relu) { conv 1x1, width   if after == none { tanh } else { after } }";
    expect(paths(network("at(4, none)   at(4)", block))).toEqual([
      "at1.conv conv 1",
      "at1.tanh tanh",
      "at2.conv conv 1",
      "at2.relu relu",
    ]);
  });

  it("is equal to itself alone", () => {
    const all = "assert none == none and 0 != none and [] != none and relu != none and image != none and relu == relu";
    expect(
      told(network(`${all} and group_norm(2) == group_norm(2) and group_norm(2) != group_norm(4)   relu`)),
    ).toEqual([]);
  });

  it("is no number and has no members", () => {
    expect(told(network("conv 3x3, 4 + none"))).toEqual(["wrong-type: a number is needed here, not none"]);
    expect(told(network("conv 3x3, none.channels"))).toEqual(["unknown-member: none has no `channels`"]);
    expect(told(network("for i in none { relu }"))[0]).toMatch(/^wrong-type: a range .* not none$/);
  });

  it("is nothing's name", () => {
    expect(told(network("none = conv 1x1, 3"))).toEqual(["reserved-name: `none` says that something is not given"]);
  });
});
