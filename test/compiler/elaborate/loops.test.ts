/** A labelled loop gives the list of its turns; lists and members are outputs; one tensor is the list of it. */
import { describe, expect, it } from "vitest";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { memoryHost } from "../../../compiler/host.js";
import { formatShape } from "../../../compiler/ir/dim.js";

const found = (body: string, before = "") =>
  elaborate(parseTarget("net.resnet"), {
    host: memoryHost({ "net.resnet": `${before}\nnetwork Net { input image 3x16x16   ${body} }` }),
  });
const outputs = (body: string, before = ""): string[] => {
  const { model, diagnostics } = found(body, before);
  expect(diagnostics).toEqual([]);
  return model!.graph.outputs.map(({ name, value }) => `${name} ${value.name} ${formatShape(value.type.shape)}`);
};
const problems = (body: string): string[] => found(body).diagnostics.map(({ code, message }) => `${code}: ${message}`);

describe("a labelled loop", () => {
  it("gives what each turn gave, one after the other, with paths by the turn's number", () => {
    expect(outputs("maps = for width in [4, 8] { conv 3x3, width, /2   relu }   output maps")).toEqual([
      "maps.0 maps.0.relu [N, 4, 8, 8]",
      "maps.1 maps.1.relu [N, 8, 4, 4]",
    ]);
    const { model } = found("maps = for width in [4, 8] { conv 3x3, width }   output maps");
    expect(model!.graph.parameters.map(({ path }) => path)).toEqual(["maps.0.conv.weight", "maps.1.conv.weight"]);
  });

  it("numbers a single turn too, so that names do not depend on how many there are", () => {
    expect(outputs("maps = for width in [4] { conv 1x1, width }   output maps")).toEqual([
      "maps.0 maps.0.conv [N, 4, 16, 16]",
    ]);
  });

  it("has each turn's labels as members, and not its variable", () => {
    const body = `sides = conv 1x1, 4 on [image, image]
      tops = for side in sides { scores = conv 1x1, 2   boxes = conv 1x1, 8 on side }
      output tops.scores, tops.boxes`;
    expect(outputs(body).map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual([
      "scores.0 tops.0.scores",
      "scores.1 tops.1.scores",
      "boxes.0 tops.0.boxes",
      "boxes.1 tops.1.boxes",
    ]);
    expect(problems(body.replace("tops.boxes", "tops.side"))).toEqual(["unknown-member: a tensor has no `side`"]);
  });

  it("is empty of no turns, and no output then", () => {
    expect(problems("none = for i in 1 .. 0 { conv 1x1, i }   relu   output none")).toEqual([
      "wrong-type: the label of a tensor is needed here, not a list",
    ]);
  });

  it("goes over one tensor as over the list of it", () => {
    expect(outputs("all = for map in image { conv 1x1, len(image) on map }   let only = all[0]   output only")).toEqual(
      ["only all.0.conv [N, 1, 16, 16]"],
    );
    expect(outputs("conv 1x1, 2 on image[0]")).toEqual(["output conv [N, 2, 16, 16]"]);
    expect(problems("conv 1x1, 2 on image[1]")[0]).toMatch(/^out-of-range: index 1 is outside a list of 1/);
  });
});

describe("outputs", () => {
  const two = "block two { left = conv 1x1, 2   right = conv 1x1, 3 }";

  it("are members by their own names", () => {
    expect(outputs("r = two   output r.left, r.right", two)).toEqual([
      "left r.left [N, 2, 16, 16]",
      "right r.right [N, 3, 16, 16]",
    ]);
  });

  it("have names of their own", () => {
    const { diagnostics } = found("r = two   s = two   output r.left, s.left", two);
    expect(diagnostics.map(({ message }) => message)).toEqual(["two outputs are called `left`"]);
  });

  it("are not what a block was given", () => {
    const { diagnostics } = found(
      "c = conv 1x1, 2   r = one(c)   output r.given",
      "block one(given) { own = relu on given }",
    );
    expect(diagnostics.map(({ message }) => message)).toEqual(["a tensor has no `given`"]);
  });
});
