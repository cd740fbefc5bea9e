/** What holds for every detection operator: its record, its shapes, and the ONNX that it writes. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { value } from "../../../../compiler/ir/build.js";
import { node } from "../../../../compiler/ops/node.js";
import { DETECTION_OPERATORS } from "../../../../compiler/ops/detection/index.js";
import { operator, OPERATORS } from "../../../../compiler/ops/index.js";
import type { Device } from "../../../../compiler/device.js";
import { ShapeError } from "../../../../compiler/ops/operator.js";
import { INFERENCE_PASSES, runPasses } from "../../../../compiler/passes/index.js";
import { emitBytes } from "../../emit/run.js";
import { SPAN } from "../graphs.js";
import { EXAMPLES, type Example } from "./examples.js";
import { operatorGraph, runOperator } from "./run.js";

const PYTHON = "/usr/bin/python3";
const NO_CHECKER = spawnSync(PYTHON, ["-c", "import onnx"]).status !== 0;

describe("detection operators", () => {
  it("are registered, documented, kept in fp32, and all have an example", () => {
    for (const each of DETECTION_OPERATORS) {
      expect(OPERATORS.get(each.name)).toBe(each);
      expect(each.doc, each.name).toMatch(/^[A-Z].*\.$/);
      expect(each.fullPrecision, each.name).toBe(true);
      expect(
        EXAMPLES.some(({ op }) => op === each.name),
        each.name,
      ).toBe(true);
    }
  });

  it("refuse a number in place of a tensor, and say what they need", () => {
    for (const { op, inputs, attributes } of EXAMPLES) {
      inputs.forEach((_, wrong) => {
        // One score or scale for all boxes is as good as one for each.
        if (op === "mask_small" && wrong !== 1) return;
        const values = inputs.map(({ shape, dtype = "float32" }, index) =>
          value({ dtype, shape: index === wrong ? [] : shape }, `x${index}`),
        );
        const make = (): unknown => node(op, values, attributes, op, SPAN);
        expect(make, `${op}, input ${wrong}`).toThrow(ShapeError);
        expect(make, `${op}, input ${wrong}`).toThrow(new RegExp(op));
      });
    }
  });

  it("refuse sizes that differ where they are one", () => {
    const error = (op: string, ...shapes: (readonly number[])[]): string => {
      const values = shapes.map((shape, index) => value({ dtype: "float32", shape }, `x${index}`));
      try {
        operator(op).infer(
          values.map((each) => each.type),
          { keep: 1, values: 3, axis: 0 },
        );
      } catch (thrown) {
        if (thrown instanceof ShapeError) return thrown.message;
        throw thrown;
      }
      throw new Error(`${op} takes it`);
    };
    expect(error("nms", [2, 6, 4], [2, 5])).toBe("nms needs scores [N, T], got [2, 5]");
    expect(error("top_regions", [2, 6, 5], [2, 6])).toBe("top_regions needs boxes [N, T, 4], got [2, 6, 5]");
    expect(error("pick_class", [6, 3, 4], [6, 2])).toBe("pick_class needs scores [R, K], got [6, 2]");
    expect(error("anchor_values", [1, 8, 2, 2])).toBe("anchor_values: 8 channels can't be split into groups of 3");
    expect(error("rows_of_image", [2, 6], [7, 4])).toBe("rows_of_image needs regions [R, 5], got [7, 4]");
    expect(error("match", [2, 5, 3], [2, 4])).toBe("match needs present [N, G], got [2, 4]");
    expect(error("match", [2, 5, 3], [2, 3], [2, 4])).toBe("match needs candidates [N, A], got [2, 4]");
    expect(error("match", [2, 5, 3], [2, 3], [4])).toBe("match needs candidates [A], got [4]");
    expect(error("box_iou", [5, 4], [2, 3, 5])).toBe("box_iou needs objects [N, G, 4], got [2, 3, 5]");
    expect(error("class_shares", [2, 5], [2, 4])).toBe("class_shares needs numbers [2, 5], got [2, 4]");
    expect(error("sample_by", [2, 5], [2, 4])).toBe("sample_by needs numbers [N, A], got [2, 4]");
    expect(error("last_pixels", [2, 3, 4], [3, 1, 2])).toBe("last_pixels needs factors [N, 1, 2], got [3, 1, 2]");
    expect(error("concat_rows", [2, 6], [7, 4])).toBe("concat_rows needs rows [R, 6], got [7, 4]");
    expect(error("concat_rows", [], [])).toBe("concat_rows: [] has no axis 0");
  });

  it("refuse tensors of any rank by an error of shapes, and by no other", () => {
    const ranks = [[], [2], [2, 3], [2, 3, 4], [2, 3, 4, 5], [2, 3, 4, 5, 6]];
    for (const { op, inputs, attributes: given } of EXAMPLES) {
      const attributes = operator(op).complete?.(given) ?? given;
      for (let place = 0; place < inputs.length; place += 1) {
        for (const shape of ranks) {
          const types = inputs.map((each, index) => ({
            dtype: each.dtype ?? "float32",
            shape: index === place ? shape : each.shape,
          }));
          try {
            operator(op).infer(types, { ...attributes, ...("axis" in attributes && { axis: shape.length }) });
          } catch (thrown) {
            expect(thrown, `${op}, input ${place} [${shape.join(", ")}]`).toBeInstanceOf(ShapeError);
          }
        }
      }
    }
  });

  it("are written for the device that is asked for", () => {
    const algorithms = (device?: Device): unknown[] =>
      [
        { op: "roi_pool", sampling: 0 },
        { op: "roi_align", sampling: 2 },
        { op: "roi_align", sampling: 0 },
      ].map(({ op, sampling }) => {
        const example = EXAMPLES.find((each) => each.op === op)!;
        const graph = operatorGraph(op, example.inputs, { ...example.attributes, sampling }, true);
        return runPasses(INFERENCE_PASSES, graph, device === undefined ? {} : { device }).nodes[0]!.attributes[
          "algorithm"
        ];
      });
    expect(algorithms()).toEqual(["operator", "operator", "operator"]);
    expect(algorithms("cpu")).toEqual(["operator", "operator", "operator"]);
    expect(algorithms("cuda")).toEqual(["tables", "operator", "operator"]);
    expect(algorithms("webgpu")).toEqual(["tables", "samples", "products"]);
  });

  it.each([13, 17, 21])("give what they promise, open or not, at opset %i", async (opset) => {
    for (const { op, inputs, attributes } of EXAMPLES.filter(({ since }) => since <= opset)) {
      const known = await runOperator(op, inputs, attributes, { opset, open: false });
      expect(await runOperator(op, inputs, attributes, { opset, open: true }), op).toEqual(known);
    }
  });
});

describe.skipIf(NO_CHECKER)("ONNX's checker", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), "resnetc-detection-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  // As far as the versions go that the checker of ONNX 1.12 knows.
  it.each([13, 16, 17])("takes every operator at opset %i", (opset) => {
    const files = EXAMPLES.filter(({ since }) => since <= opset).flatMap((example, index) =>
      [false, true].map((open) => {
        const file = path.join(folder, `${index}-${example.op}-${opset}${open ? "-open" : ""}.onnx`);
        writeFileSync(file, emitBytes(graphOf(example, open), { opset }));
        return file;
      }),
    );
    const script = path.join(import.meta.dirname, "../../../oracle/check_onnx.py");
    const lines = execFileSync(PYTHON, [script, ...files], { encoding: "utf8" })
      .trim()
      .split("\n");
    expect(lines.filter((line) => !line.endsWith(": ok"))).toEqual([]);
    expect(lines.length).toBe(files.length);
  });
});

function graphOf({ op, inputs, attributes }: Example, open: boolean) {
  return operatorGraph(op, inputs, attributes, open);
}
