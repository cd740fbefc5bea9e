/** Members of what blocks give, parts that are used several times with the same weights, and lists of tensors. */
import { describe, expect, it } from "vitest";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { memoryHost } from "../../../compiler/host.js";
import { formatShape } from "../../../compiler/ir/dim.js";
import { INFERENCE_PASSES, runPasses } from "../../../compiler/passes/index.js";
import type { Model } from "../../../compiler/model.js";
import { emitBytes, runModel } from "../emit/run.js";

const found = (source: string, target = "net.resnet") =>
  elaborate(parseTarget(target), { host: memoryHost({ "net.resnet": source }) });

function build(source: string): Model {
  const { model, diagnostics } = found(source);
  if (!model) throw new Error(diagnostics.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  return model;
}

const problems = (source: string): string[] =>
  found(source).diagnostics.map(({ code, message }) => `${code}: ${message}`);
const paths = (model: Model): string[] => model.graph.nodes.map((node) => node.path);
const parameters = (model: Model): string[] => model.graph.parameters.map((parameter) => parameter.path);

describe("members", () => {
  it("are the labels of the block, by what they name", () => {
    const model = build(`
      block halves { left = slice_channels 0, 2   right = slice_channels 2, 5 on input }
      network Net {
        input image 5x8x8
        r = halves
        a = identity on r.left
        b = identity on r.right
        output a, b
      }`);
    expect(model.graph.outputs.map(({ value }) => formatShape(value.type.shape))).toEqual([
      "[N, 2, 8, 8]",
      "[N, 3, 8, 8]",
    ]);
  });

  it("are the stages of a network, and of the part of it that is used", () => {
    const source = `
      network Trunk {
        input image 3x32x32
        stage one /2 { conv 3x3, 4 }
        stage two /2 { conv 3x3, 8 }
      }
      network Net {
        input image 3x32x32
        body = Trunk.one .. Trunk.two
        c1 = identity on body.one
        c2 = identity on body.two
        output c1, c2
      }`;
    const { model } = found(source, "net.resnet#Net");
    expect(model?.graph.outputs.map(({ value }) => formatShape(value.type.shape))).toEqual([
      "[N, 4, 16, 16]",
      "[N, 8, 8, 8]",
    ]);
  });

  it("that are not there are named, with those that are", () => {
    expect(
      problems(`block b { inner = conv 1x1, 4 }
        network Net { input image 3x8x8   r = b   relu on r.innr }`),
    ).toEqual(["unknown-member: a tensor has no `innr`"]);
  });
});

describe("a shared part", () => {
  const source = `network Net {
    input image 3x8x8
    tower = shared { conv 3x3, 4   bn   relu }
    first = tower
    second = tower on image
    add { first } { second }
  }`;

  it("has its parameters once, called by its name, and its layers as often as it is used", () => {
    const model = build(source);
    expect(paths(model)).toEqual([
      "tower.conv", "tower.bn", "tower.relu", "tower@2.conv", "tower@2.bn", "tower@2.relu", "add",
    ]); // prettier-ignore
    expect(parameters(model)).toEqual([
      "tower.conv.weight", "tower.bn.weight", "tower.bn.bias", "tower.bn.running_mean", "tower.bn.running_var",
    ]); // prettier-ignore
  });

  it("gives the same at every use, folded too", async () => {
    const image = { shape: [1, 3, 8, 8], data: Float32Array.from({ length: 192 }, (_, i) => Math.sin(i)) };
    const run = async (text: string): Promise<number[]> => {
      const [output] = Object.values(
        await runModel(emitBytes(runPasses(INFERENCE_PASSES, build(text).graph, {})), { image }),
      );
      return [...output!.data];
    };
    const once = await run(source.replace("add { first } { second }", "identity on second"));
    expect(await run(source)).toEqual(once.map((value) => 2 * value));
  });

  it("is called by where it is defined, whatever uses it first", () => {
    const model = build(`network Net {
      input image 3x8x8
      inner = shared { conv 3x3, 3 }
      outer = shared { inner   inner   conv 1x1, 3 }
      outer   outer
    }`);
    expect(parameters(model)).toEqual(["inner.conv.weight", "outer.conv.weight"]);
    expect(paths(model)).toEqual([
      "inner.conv", "outer.inner@2.conv", "outer.conv", "outer@2.inner@3.conv", "outer@2.inner@4.conv", "outer@2.conv",
    ]); // prettier-ignore
  });

  it("on a list is used on each, and a member of what that gives is the list of each one's", () => {
    const model = build(`network Net {
      input image 3x16x16
      small = rescale 1 / 2
      tower = shared { coarse = conv 3x3, 4   conv 3x3, 8 }
      maps = tower on [image, small]
      a = identity on maps.coarse[1]
      b = identity on maps[0]
      output a, b
    }`);
    expect(model.graph.outputs.map(({ value }) => formatShape(value.type.shape))).toEqual([
      "[N, 4, 8, 8]",
      "[N, 8, 16, 16]",
    ]);
    expect(parameters(model)).toEqual(["tower.coarse.weight", "tower.conv.weight"]);
  });

  it.each([
    ["needs a name", "shared { relu }", "misplaced-statement: a shared part needs a name"],
    ["needs its layers", "a = shared   a", "missing-body: `shared` needs its layers in one pair of braces"],
    ["can't contain itself", "a = shared { a }   a", "endless-definition: shared part a contains itself"],
    ["takes no arguments", "a = shared { relu }   a(3)", "unknown-argument: the shared part `a` takes no arguments"],
    [
      "has one number of channels",
      "a = shared { conv 1x1, 4 }   a   a",
      "invalid-shape: conv: its weight is [4, 4, 1, 1] here, and was [4, 3, 1, 1] where the part was first used",
    ],
  ])("%s", (_, body, problem) => {
    expect(problems(`network Net { input image 3x8x8   ${body} }`)).toEqual([problem]);
  });
});
