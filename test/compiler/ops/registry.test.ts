import { describe, expect, it } from "vitest";
import { completeAttributes } from "../../../compiler/ops/attributes.js";
import { accepts } from "../../../compiler/words/values.js";
import { OPERATORS, operator } from "../../../compiler/ops/index.js";
import { LAYER_WORDS } from "../../../compiler/elaborate/layer-words.js";
import { DETECTION_OPERATORS } from "../../../compiler/ops/detection/index.js";
import { LOSS_OPERATORS } from "../../../compiler/ops/losses/index.js";
import { REFERENCE } from "./reference.js";
import { SAMPLES } from "./samples.js";

const layers = [...OPERATORS.values()].filter((each) => each.layer !== undefined);
/** Those of detectors and losses have references of their own (detection/, losses.test.ts), and tables show few of them. */
const isOfNetworks = (each: (typeof layers)[number]): boolean =>
  !DETECTION_OPERATORS.includes(each) && !LOSS_OPERATORS.includes(each);

describe("the registry", () => {
  it("has words that name no two things", () => {
    const constructs = ["residual", "nothing", "shared"];
    expect(Object.keys(LAYER_WORDS)).toHaveLength(layers.length + constructs.length);
  });

  it("files every operator under its own name", () => {
    for (const [name, record] of OPERATORS) expect(record.name).toBe(name);
    expect(() => operator("convolution")).toThrow("there is no operator convolution");
  });

  it("has a sentence, a reference and samples for every layer", () => {
    for (const { name, doc } of layers.filter(isOfNetworks)) {
      expect(doc, name).toMatch(/\.$/);
      expect(REFERENCE, name).toHaveProperty(name);
      expect(SAMPLES, name).toHaveProperty(name);
    }
  });

  it("documents each argument; defaults are of its type and range", () => {
    for (const { name, layer } of layers) {
      for (const [argument, each] of Object.entries(layer!.arguments)) {
        expect(each.doc, `${name}.${argument}`).toMatch(/\.$/);
        if (each.default !== undefined) expect(accepts(each, each.default), `${name}.${argument}`).toBe(true);
      }
    }
  });

  it("fills in defaults in the order of the signature, padding computed", () => {
    const attributes = completeAttributes(operator("conv"), { channels: 64, kernel: [3, 7], dilation: [2, 1] });
    expect(attributes).toEqual({
      kernel: [3, 7],
      channels: 64,
      stride: [1, 1],
      dilation: [2, 1],
      groups: 1,
      bias: false,
      pad: [2, 3],
    });
    expect(completeAttributes(operator("max_pool"), { kernel: [3, 3], pad: [0, 0] })["pad"]).toEqual([0, 0]);
  });

  it("labels layers as figure 3 does", () => {
    const label = (op: string, attributes = {}): string =>
      operator(op).label!(completeAttributes(operator(op), attributes));
    expect(label("conv", { kernel: [7, 7], channels: 64, stride: [2, 2] })).toBe("7x7 conv, 64, /2");
    expect(label("conv", { kernel: [3, 3], channels: 512 })).toBe("3x3 conv, 512");
    expect(label("max_pool", { kernel: [3, 3], stride: [2, 2] })).toBe("pool, /2");
    expect(label("global_avg_pool")).toBe("avg pool");
    expect(label("fc", { channels: 1000 })).toBe("fc 1000");
    for (const { name } of layers.filter(isOfNetworks)) expect(operator(name), name).toHaveProperty("label");
  });
});
