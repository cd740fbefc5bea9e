/** Paths, shapes and structure of elaborated networks. */
import { describe, expect, it } from "vitest";
import { check, elaborate, parseTarget } from "../../../compiler/index.js";
import { memoryHost } from "../../../compiler/host.js";
import { formatShape } from "../../../compiler/ir/dim.js";
import { isScope, type Scope } from "../../../compiler/ir/types.js";
import type { Model } from "../../../compiler/model.js";

function build(source: string, target = "net.resnet"): Model {
  const { model, diagnostics } = elaborate(parseTarget(target), { host: memoryHost({ "net.resnet": source }) });
  if (!model) throw new Error(diagnostics.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  return model;
}

const shapes = (model: Model): Record<string, string> =>
  Object.fromEntries(
    model.graph.nodes.map((node) => [node.path, formatShape(node.outputs[0]?.type.shape ?? [])] as const),
  );

describe("paths", () => {
  const { model } = elaborate(parseTarget("ResNet101"));
  const paths = model?.graph.nodes.map((node) => node.path) ?? [];

  it("are stage, index of the block, layer", () => {
    expect(paths).toContain("conv1.conv");
    expect(paths).toContain("conv4.22.conv2");
    expect(paths).toContain("conv3.0.shortcut.conv");
    expect(paths).toContain("head.fc");
  });

  it("are unique, as parameters' are", () => {
    expect(new Set(paths).size).toBe(paths.length);
    const parameters = model?.graph.parameters.map((parameter) => parameter.path) ?? [];
    expect(new Set(parameters).size).toBe(parameters.length);
    expect(parameters).toContain("conv4.22.bn2.running_var");
  });

  it("number layers where a body has several, and take labels as they are", () => {
    const model = build(`network Small {
      input image 3x32x32
      stage one { reduce = conv 1x1, 8   bn   conv 3x3, 8   conv 3x3, 8   bn }
      head { fc 10 }
    }`);
    expect(Object.keys(shapes(model))).toEqual([
      "one.reduce", "one.bn1", "one.conv1", "one.conv2", "one.bn2", "head.fc",
    ]); // prettier-ignore
  });
});

describe("shapes", () => {
  it("follow table 1", () => {
    const { model } = elaborate(parseTarget("ResNet50"));
    const ends = model?.root.children.filter(isScope).map((stage) => formatShape(stage.output?.type.shape ?? []));
    expect(ends).toEqual([
      "[N, 64, 112, 112]", "[N, 256, 56, 56]", "[N, 512, 28, 28]", "[N, 1024, 14, 14]", "[N, 2048, 7, 7]", "[N, 1000]",
    ]); // prettier-ignore
  });

  it("stay symbolic where the input is", () => {
    const { model } = elaborate(parseTarget("ResNet50V15"), { input: [3, "H", "W"] });
    const conv5 = model?.root.children.filter(isScope)[4]?.output;
    expect(formatShape(conv5?.type.shape ?? [])).toBe("[N, 2048, floor((H+31)/32), floor((W+31)/32)]");
  });

  it("give a stage's stride to its first block alone", () => {
    const model = build(`import { basic } from "std/blocks"
      import { projection_on_change } from "std/shortcuts"
      network Small {
        input image 3x32x32
        shortcuts projection_on_change
        stage one /2 { basic(8) x 3 }
      }`);
    expect(shapes(model)["one.0.conv1"]).toBe("[N, 8, 16, 16]");
    expect(shapes(model)["one.2.conv2"]).toBe("[N, 8, 16, 16]");
  });
});

describe("shortcuts", () => {
  const kinds = (target: string): string[] => {
    const { model } = elaborate(parseTarget(target));
    const found: string[] = [];
    const visit = (scope: Scope): void => {
      if (scope.kind === "shortcut") found.push(scope.children.length === 0 ? "identity" : (scope.declaration ?? ""));
      scope.children.filter(isScope).forEach(visit);
    };
    if (model) visit(model.root);
    return found;
  };

  it("are those of options A, B, C and none", () => {
    expect(kinds("ResNet18")).toEqual([
      "identity", "identity", "projection_on_change", "identity", "projection_on_change", "identity",
      "projection_on_change", "identity",
    ]); // prettier-ignore
    expect(new Set(kinds("ResNet34A"))).toEqual(new Set(["identity", "zero_padding"]));
    expect(new Set(kinds("ResNet34C"))).toEqual(new Set(["projection"]));
    expect(kinds("Plain34")).toEqual([]);
  });
});

describe("networks in networks", () => {
  const source = `import { ResNet18 } from "std/resnet"
    network Features(backbone = ResNet18) {
      input image 3xHxW
      c4 = backbone.conv1 .. backbone.conv4
      c5 = backbone.conv5
      output c4, c5
    }
    network Whole { input image 3x64x64   ResNet18(classes: 10) }`;

  it("can be cut, with several outputs", () => {
    const { graph } = build(source, "net.resnet#Features");
    expect(graph.outputs.map(({ name, value }) => `${name} ${formatShape(value.type.shape)}`)).toEqual([
      "c4 [N, 256, floor((H+15)/16), floor((W+15)/16)]",
      "c5 [N, 512, floor((H+31)/32), floor((W+31)/32)]",
    ]);
    expect(graph.parameters.some((parameter) => parameter.path.includes("fc"))).toBe(false);
  });

  it("can be used whole, with other arguments", () => {
    const { graph } = build(source, "net.resnet#Whole");
    expect(graph.outputs.map(({ name }) => name)).toEqual(["probabilities", "logits"]);
    expect(formatShape(graph.outputs[0]?.value.type.shape ?? [])).toBe("[N, 10]");
  });
});

describe("values", () => {
  it("are numbers, lists, conditions and repetitions", () => {
    const model = build(`
      let widths = [8, 16] + [24]
      network Small(deep = true, n = len(widths) - 1) {
        assert n >= 0, "n is {n}"
        input image 3x16x16
        for i in 0 .. n {
          conv 3x3, if deep and not (i == 1) then widths[i] * 2 else max(widths[i], 5 % 3)
        }
        conv 1x1, round(sqrt(input.channels * 3)) x 2
      }`);
    expect(Object.values(shapes(model))).toEqual([
      "[N, 16, 16, 16]", "[N, 16, 16, 16]", "[N, 48, 16, 16]", "[N, 3, 16, 16]", "[N, 3, 16, 16]",
    ]); // prettier-ignore
  });

  it("import from relative files", () => {
    const host = memoryHost({
      "nets/a.resnet": `import { thin as small } from "../parts/blocks"\nnetwork A { input image 3x8x8   small(4) }`,
      "parts/blocks.resnet": `block thin(width) { conv 3x3, width   bn   relu }`,
    });
    const { model } = elaborate(parseTarget("nets/a.resnet"), { host });
    expect(model?.graph.nodes.map((node) => node.path)).toEqual(["thin.conv", "thin.bn", "thin.relu"]);
  });
});

describe("diagnostics", () => {
  const source = `import { bottleneck } from "std/blocks"
network Small {
  input image 3x32x32
  stage conv2 { bottleneck(64) x 2 }
  stage conv3 { conv 3x3, 64, grups: 2   botleneck(8) }
}
`;

  it("are many in one run, each with its place, chain and a suggestion", () => {
    const { diagnostics } = check([{ path: "net.resnet", text: source }]);
    expect(diagnostics.map(({ code, help }) => [code, help])).toEqual([
      ["shape-mismatch", expect.stringContaining("projection_on_change")],
      ["unknown-argument", "did you mean `groups`?"],
      ["unknown-name", "did you mean `bottleneck`?"],
    ]);
    const mismatch = diagnostics.find((diagnostic) => diagnostic.code === "shape-mismatch");
    // At the user's own line, with the one in the standard library as a note.
    expect(source.slice(mismatch!.span.start, mismatch!.span.end)).toMatch(/^bottleneck/);
    expect(mismatch?.notes.at(-1)?.span?.file).toBe("std/blocks.resnet");
    expect(mismatch?.message).toBe("the shortcut gives [N, 3, 32, 32], the residual branch [N, 256, 32, 32]");
    expect(mismatch?.chain.map(({ label }) => label)).toEqual(["network Small", "stage conv2", "block bottleneck"]);
  });
});
