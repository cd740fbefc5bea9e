/** `weights` declarations: maps that include one another, tensors of other axes, and what is wrong with them. */
import { describe, expect, test } from "vitest";
import { check, elaborate, memoryHost, parseTarget, type Diagnostic, type WeightMap } from "../../../compiler/index.js";
import { renamer } from "../../../compiler/weights/rename.js";

const NETWORK = `
network Net {
  input image 3x32x32
  weights map
  body = shared { conv1 = conv 3x3, 8   bn   conv2 = conv 3x3, 8 }
  body on image
  head { global_avg_pool   fc 10 }
}
`;

function diagnose(maps: string, network = NETWORK): readonly Diagnostic[] {
  return check([{ path: "net.resnet", text: maps + network }]).diagnostics;
}

function compiled(maps: string, network = NETWORK) {
  const host = memoryHost({ "net.resnet": maps + network });
  const { model, diagnostics } = elaborate(parseTarget("net.resnet#Net"), { host });
  expect(diagnostics).toEqual([]);
  return { model: model!, map: model!.weightMaps[0]! };
}

/** What a map calls the network's parameters. */
function names(maps: string): Record<string, string> {
  const { model, map } = compiled(maps);
  const rename = renamer(map.renames);
  return Object.fromEntries(model.graph.parameters.map((parameter) => [parameter.path, rename(parameter).name]));
}

const lines = (map: WeightMap) => map.renames.map(({ ours, theirs }) => `${ours} -> ${theirs}`);

describe("include", () => {
  const inner = `weights inner { format pytorch   rename "conv{k}", "c.{k - 1}"   ignore "aux.*"   stride_in 3x3 }\n`;

  test("puts prefixes before both sides' names, and before those that nothing renames", () => {
    const maps = `${inner}weights map { include inner, ours: "body.", theirs: "net."   rename "head.fc", "fc" }`;
    const { map } = compiled(maps);
    expect(lines(map)).toEqual(["body.conv{k} -> net.c.{k - 1}", "head.fc -> fc", "body.{*} -> net.{*}"]);
    expect(map.ignore).toEqual(["net.aux.*"]);
    expect(map.strideIn).toEqual([3, 3]);
    expect(names(maps)).toEqual({
      "body.conv1.weight": "net.c.0",
      "body.bn.weight": "net.bn",
      "body.bn.bias": "net.bn",
      "body.bn.running_mean": "net.bn",
      "body.bn.running_var": "net.bn",
      "body.conv2.weight": "net.c.1",
      "head.fc.weight": "fc",
      "head.fc.bias": "fc",
    });
  });

  test("takes what it includes as it is, without prefixes", () => {
    const { map } = compiled(`${inner}weights map { rename "body.bn", "n"   include inner }`);
    expect(lines(map)).toEqual(["body.bn -> n", "conv{k} -> c.{k - 1}"]);
    expect(map.ignore).toEqual(["aux.*"]);
  });

  test("a map's own word goes before what it includes, wherever it stands", () => {
    const { map } = compiled(`${inner}weights map { stride_in 1x1   include inner, ours: "body." }`);
    expect(map.strideIn).toEqual([1, 1]);
  });

  test("includes of includes: the longer prefix first, and of Caffe's layers each", () => {
    const maps = `weights a { format caffe   rename "bn", "bn_{*} + scale"   }\n`.replace("{*}", "x");
    const { map } = compiled(
      `${maps}weights b { include a, ours: "in.", theirs: "i_" }\nweights map { include b, ours: "body.", theirs: "b_" }`,
    );
    expect(map.format).toBe("caffe");
    expect(lines(map)).toEqual(["body.in.bn -> b_i_bn_x + b_i_scale", "body.in.{*} -> b_i_{*}", "body.{*} -> b_{*}"]);
  });

  test("prefixes have holes too", () => {
    const { map } = compiled(`${inner}weights map { include inner, ours: "tower{t}.", theirs: "towers.{t - 1}." }`);
    expect(lines(map)[0]).toBe("tower{t}.conv{k} -> towers.{t - 1}.c.{k - 1}");
    expect(map.ignore).toEqual(["towers.*.aux.*"]);
  });

  test("a list of maps, and maps with arguments", () => {
    const maps = `weights numbered(from = 0) { rename "conv{k}", "c" + if from == 0 then "{k}" else "{k - 1}" }\n`;
    const { map } = compiled(`${maps}weights map { include [numbered, numbered(1)], ours: "body." }`);
    expect(lines(map).slice(0, 2)).toEqual(["body.conv{k} -> c{k}", "body.conv{k} -> c{k - 1}"]);
  });
});

describe("tensors", () => {
  test("are renamed whole, with their axes as they are there", () => {
    const { model, map } = compiled(
      `weights map { rename "body.conv1.weight", "kernel", reshape: [0, -1]   rename "body.bn.bias", "b", reshape: [-1, 1, 1] }`,
    );
    const rename = renamer(map.renames);
    const renamed = Object.fromEntries(model.graph.parameters.map((each) => [each.path, rename(each)]));
    expect(renamed["body.conv1.weight"]).toEqual({ of: "tensor", name: "kernel", shape: [8, 27] });
    expect(renamed["body.bn.bias"]).toEqual({ of: "tensor", name: "b", shape: [8, 1, 1] });
    expect(renamed["body.bn.weight"]).toEqual({ of: "layer", name: "body.bn" });
  });
});

describe("what is wrong is told with its place", () => {
  /** The code, and the text that is underlined. */
  const found = (maps: string): [string, string, string][] =>
    diagnose(maps).map(({ code, span, message }) => [code, (maps + NETWORK).slice(span.start, span.end), message]);
  const inner = `weights inner { rename "conv{k}", "c{k}" }\n`;

  test.each([
    [`weights map { rename "body.conv{k}", "f.{j}" }`, "bad-pattern", "{j}", /j does not occur/],
    [`weights map { rename "body.conv{k / 2}", "f" }`, "bad-pattern", "{k / 2}", /is no sum of variables/],
    [`weights map { rename "body.conv{a + b}", "x" }`, "bad-pattern", "{a + b}", /has to be one variable/],
    [`weights map { rename "body." + "conv{k", "x" }`, "bad-pattern", `"body." + "conv{k"`, /a brace has no partner/],
    [`${inner}weights map { include inner, ours: "a{*}." }`, "bad-pattern", `"a{*}."`, /can't have \{\*\}/],
    [
      `${inner}weights map { include inner, ours: "a{k}." }`,
      "bad-pattern",
      `"a{k}."`,
      /\{k\} stands for another number/,
    ],
    [`${inner}weights map { include inner, ours: "a{t}.", theirs: "{u}." }`, "bad-pattern", "{u}", /u does not occur/],
    [`weights map { include map }`, "endless-definition", "map", /`map` includes itself/],
    [
      `weights map { rename "body.conv1.weight", "x", reshape: [-1, -1] }`,
      "out-of-range",
      "[-1, -1]",
      /`reshape` has the lengths of axes/,
    ],
    [
      `weights one { format caffe }\nweights map { format pytorch   include one }`,
      "conflicting-settings",
      "include one",
      /`one` has another `format`/,
    ],
    [
      `weights one { stride_in 1x1 }\nweights two { stride_in 3x3 }\nweights map { include one   include two }`,
      "conflicting-settings",
      "include two",
      /`two` has another `stride_in`/,
    ],
  ])("%s", (maps, code, place, message) => {
    expect(found(maps)).toContainEqual([code, place, expect.stringMatching(message) as string]);
  });

  test("a map that no network declares is checked as well", () => {
    expect(check([{ path: "map.resnet", text: `weights map { rename "a{k}", "{j}" }` }]).diagnostics).toHaveLength(1);
  });
});

describe("renames without use are told", () => {
  const told = (maps: string, network?: string) => diagnose(maps, network).map(({ message, help }) => [message, help]);

  test("one that matches nothing, with what is near", () => {
    expect(told(`weights map { rename "body.cnov{k}", "c{k}" }`)).toEqual([
      [`no layer or tensor of Net is called "body.cnov{k}"`, `did you mean "body.conv1"?`],
    ]);
  });

  test("one that others before it leave nothing for", () => {
    expect(told(`weights map { rename "body.{*}", "b.{*}"   rename "body.bn", "n" }`)).toEqual([
      [expect.stringMatching(/^renames before this one take all that it matches in Net$/), expect.any(String)],
    ]);
  });

  test("an include of which nothing is there, once", () => {
    const inner = `weights inner { rename "conv{k}", "c{k}"   rename "bn", "n" }\n`;
    expect(told(`${inner}weights map { include inner, ours: "bdy." }`)).toEqual([
      ["nothing that this includes is in Net", undefined],
    ]);
  });

  test("a shape for what is a layer", () => {
    expect(told(`weights map { rename "head.fc", "fc", reshape: [0, 0] }`)).toEqual([
      [
        `no layer or tensor of Net is called "head.fc"`,
        "with `reshape` it is a tensor's name, such as `head.fc.weight`",
      ],
    ]);
  });

  test("none that one of several networks has use for, and none of the standard library's", () => {
    const other = `import { torchvision_resnet } from "std/weights"\n`;
    const map = `weights map { include torchvision_resnet   rename "tail", "t"   rename "body.conv1", "c" }`;
    const second = `network Other { input image 3x8x8   weights map   tail = conv 3x3, 8 }\n`;
    expect(told(`${other}${map}`, NETWORK + second)).toEqual([]);
  });
});
