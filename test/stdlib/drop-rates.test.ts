/** Stochastic depth: the rates of torchvision's networks (oracle/drop_rates_golden.py), and what is left of them. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { memoryHost } from "../../compiler/host.js";
import { check, elaborate, parseTarget } from "../../compiler/index.js";
import { trainingMode } from "../../compiler/passes/training-mode.js";

const golden = new URL("../golden/torchvision-drop-rates.json", import.meta.url);
const rates = JSON.parse(readFileSync(golden, "utf8")) as Record<string, Record<string, number>>;

describe("stochastic depth has torchvision's rates", () => {
  test.each(Object.entries(rates))("%s", (name, expected) => {
    const { model } = elaborate(parseTarget(name));
    const found = model!.graph.nodes.filter(({ op }) => op === "drop_path");
    expect(found.map(({ path }) => path)).toEqual(Object.keys(expected));
    for (const { path, attributes } of found) expect(attributes["probability"]).toBeCloseTo(expected[path]!, 12);
  });
});

test("a tensor knows how many residuals it has passed, on the way with the most of them", () => {
  const text = `block unit { residual { conv 3x3, input.channels } }
    block expects(count) { assert input.residuals == count, "{input.residuals}"   relu }
    network Net {
      input image 4x8x8
      expects(0)
      before = conv 1x1, 4
      unit   expects(1)   unit x 2   expects(3)
      residual { unit   expects(4) }   expects(5)
      add { expects(5) } { expects(0) on before }   expects(5)
      expects(0) on image
    }`;
  expect(check([{ path: "net.resnet", text }]).diagnostics).toEqual([]);
});

test("the rate 0 draws nothing", () => {
  const text = "network Net { input image 4x8x8   conv 1x1, 4   drop_path 0   global_avg_pool   fc 3 }";
  const { model } = elaborate(parseTarget("net.resnet"), { host: memoryHost({ "net.resnet": text }) });
  const { inputs, nodes } = trainingMode.run(model!.graph, {});
  expect(inputs.map(({ name }) => name)).toEqual(["image"]);
  expect(nodes.map(({ op }) => op)).toEqual(["conv", "global_avg_pool", "fc"]);
});
