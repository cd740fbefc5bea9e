/**
 * A ResNet inside another network, with the weights that torchvision's has there: its FCN on a ResNet-50
 * (test/oracle/segmentation_golden.py), whose names begin with `backbone.`.
 */
import fs from "node:fs";
import { describe, expect, test } from "vitest";
import { check, elaborate, memoryHost, parseTarget } from "../../../compiler/index.js";
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";
import { openSession } from "../../../runtime/onnx/session.js";
import { isComplete, matchedValues, matchWeights } from "../../../runtime/weights/index.js";
import { oracleSource, uniform } from "../../support/oracle-weights.js";

interface Golden {
  readonly tensors: Readonly<Record<string, readonly number[]>>;
  readonly shape: readonly number[];
  /** Little-endian floats [1, 3, H, W]. */
  readonly out: string;
  readonly aux: string;
}

const golden = JSON.parse(
  fs.readFileSync(new URL("../../golden/segmentation/fcn_resnet50.json", import.meta.url), "utf8"),
) as Golden;

const text = (body: string) => `
import { ResNet50V15 } from "std/resnet"
import { torchvision_resnet } from "std/weights"

weights torchvision_fcn {
  include torchvision_resnet, ours: "body.", theirs: "backbone."
  rename "head.conv{k}", "classifier.{4 * k - 4}"
  rename "head.bn", "classifier.1"
  rename "side.conv{k}", "aux_classifier.{4 * k - 4}"
  rename "side.bn", "aux_classifier.1"
}

block fcn_head(classes) {
  conv 3x3, input.channels / 4   bn   relu   dropout 0.1
  conv 1x1, classes, bias: true
}

network FCN(classes = 3) {
  input image 3xHxW
  ${body}
}
`;

const whole = text(`weights torchvision_fcn
  body = ResNet50V15.conv1 .. ResNet50V15.conv5
  head = fcn_head(classes)
  out = resize_like image, bilinear
  side = fcn_head(classes) on body.conv4
  aux = resize_like image, bilinear
  output out, aux`);

function modelOf(source: string) {
  const host = memoryHost({ "fcn.resnet": source });
  const { model, diagnostics } = elaborate(parseTarget("fcn.resnet#FCN"), { host });
  expect(diagnostics.map(({ message }) => message)).toEqual([]);
  return model!;
}

function floats(text: string): Float32Array {
  return new Float32Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
}

const isBackbone = (name: string) => name.startsWith("backbone.");

describe("a network that includes a ResNet's name map", () => {
  const source = oracleSource("fcn_resnet50.pth", golden.tensors);

  test("has nothing to be told of", () => {
    expect(check([{ path: "fcn.resnet", text: whole }]).diagnostics).toEqual([]);
  });

  test("gives what torchvision's gives, at both heads", async () => {
    const model = modelOf(whole);
    const match = matchWeights(source, model.graph.parameters, model.weightMaps);
    expect(isComplete(match)).toBe(true);
    expect(match.map).toMatchObject({ name: "torchvision_fcn", format: "pytorch", strideIn: [3, 3] });
    const { chunks, byteLength } = emitModel(model, { weights: matchedValues(match) });
    const session = await openSession(concat(chunks, byteLength), { device: "cpu" });
    try {
      const [, channels = 0, height = 0, width = 0] = golden.shape;
      const data = uniform("input", channels * height * width, -2, 2);
      const given = await session.run({ [session.inputs[0]!.name]: { data, shape: golden.shape } }, ["out", "aux"]);
      for (const name of ["out", "aux"] as const) {
        const [ours, theirs] = [given[name]!.data as Float32Array, floats(golden[name])];
        expect(ours).toHaveLength(theirs.length);
        const largest = theirs.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
        const error = theirs.reduce((max, value, i) => Math.max(max, Math.abs(value - ours[i]!)), 0) / largest;
        expect(error).toBeLessThan(2e-5);
      }
    } finally {
      await session.close();
    }
  });

  test("takes a ResNet's own weights for its part, by the map that comes with it", () => {
    const resnet = Object.fromEntries(
      Object.entries(golden.tensors)
        .filter(([name]) => isBackbone(name))
        .map(([name, shape]) => [name.replace("backbone.", ""), shape]),
    );
    const model = modelOf(whole);
    const match = matchWeights(oracleSource("resnet50.pth", resnet), model.graph.parameters, model.weightMaps);
    expect(match.map).toMatchObject({ name: "torchvision_resnet", parts: ["body"] });
    expect(match.unexpected).toEqual([]);
    expect(match.misshaped).toEqual([]);
    expect(match.missing.map(({ path }) => path.split(".")[0])).toEqual([
      ...Array<string>(7).fill("head"),
      ...Array<string>(7).fill("side"),
    ]);
    expect(match.origins.get("body.conv4.5.bn3.running_var")?.tensors).toEqual(["layer3.5.bn3.running_var"]);
  });
});

describe("a network that declares no map", () => {
  test("has those of the networks inside, where their names begin with its labels", () => {
    const model = modelOf(text("backbone = ResNet50V15.conv1 .. ResNet50V15.conv5\n conv 1x1, classes"));
    const tensors = Object.fromEntries(Object.entries(golden.tensors).filter(([name]) => isBackbone(name)));
    const source = oracleSource("features.pth", { ...tensors, "conv.weight": [3, 2048, 1, 1] });
    const match = matchWeights(source, model.graph.parameters, model.weightMaps);
    expect(isComplete(match)).toBe(true);
    expect(match.map).toMatchObject({ name: "torchvision_resnet", parts: ["backbone"] });
    // The network has no preprocessing, so that of the weights is as good as there is.
    expect(match.map.trainedWith?.name).toBe("torchvision");
  });

  test("without a label they go for its own layers", () => {
    const model = modelOf(text("ResNet50V15.conv1 .. ResNet50V15.conv5\n conv 1x1, classes"));
    const names = model.weightMaps.map(({ name }) => name);
    expect(names.filter((name) => name === "torchvision_resnet")).toHaveLength(1);
    const tensors = Object.fromEntries(
      Object.entries(golden.tensors)
        .filter(([name]) => isBackbone(name))
        .map(([name, shape]) => [name.replace("backbone.", ""), shape]),
    );
    const source = oracleSource("features.pth", { ...tensors, "conv.weight": [3, 2048, 1, 1] });
    expect(isComplete(matchWeights(source, model.graph.parameters, model.weightMaps))).toBe(true);
  });
});
