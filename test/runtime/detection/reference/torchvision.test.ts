/** The references against torchvision itself, in float64 on given maps (test/oracle/detection_stages_golden.py). */
import fs from "node:fs";
import { describe, expect, it } from "vitest";
import { uniform } from "../../../support/oracle-weights.js";
import type { Box, Info } from "./boxes.js";
import type { Map3 } from "./maps.js";
import { roiAlign, roiPool } from "./pooling.js";
import { torchvisionDetections, torchvisionLevel, torchvisionProposals, type Level } from "./torchvision.js";

interface Golden {
  readonly tensor: readonly [number, number];
  readonly sizes: readonly (readonly [number, number])[];
  readonly own: readonly (readonly [number, number])[];
  readonly levels: readonly { readonly size: readonly [number, number]; readonly bound: number }[];
  /** Little-endian doubles, here and below. */
  readonly proposals: readonly string[];
  readonly found: readonly { readonly boxes: string; readonly scores: string; readonly labels: readonly number[] }[];
  readonly assigned: { readonly regions: string; readonly levels: readonly number[] };
  readonly pooled: Readonly<Record<string, string>>;
}

const golden = JSON.parse(
  fs.readFileSync(new URL("../../../golden/detection/stages.json", import.meta.url), "utf8"),
) as Golden;

function numbers(base64: string | undefined): number[] {
  return [...new Float64Array(new Uint8Array(Buffer.from(base64!, "base64")).buffer)];
}

function rowsOf(values: ArrayLike<number>, length: number): number[][] {
  return Array.from({ length: values.length / length }, (_, i) =>
    Array.from({ length }, (_, k) => values[i * length + k]!),
  );
}

const boxesOf = (base64: string | undefined) => rowsOf(numbers(base64), 4) as unknown as Box[];

function expectNear(ours: readonly (readonly number[])[], theirs: readonly (readonly number[])[], digits = 9): void {
  expect(ours.length).toBe(theirs.length);
  const error = Math.max(0, ...ours.flatMap((row, i) => row.map((value, k) => Math.abs(value - theirs[i]![k]!))));
  expect(error).toBeLessThan(10 ** -digits);
}

/** One image's part of a map of the batch. */
function mapOf(name: string, image: number, channels: number, level: Golden["levels"][number], bound: number): Map3 {
  const [height, width] = level.size;
  const length = channels * height * width;
  const values = uniform(name, golden.sizes.length * length, -bound, bound);
  return { height, width, values: values.subarray(image * length, (image + 1) * length) };
}

const infos = golden.sizes.map(([height, width], image): Info => {
  const [originalHeight, originalWidth] = golden.own[image]!;
  return {
    height,
    width,
    originalHeight,
    originalWidth,
    scaleY: height / originalHeight,
    scaleX: width / originalWidth,
  };
});

describe.each([0, 1])("torchvision, image %i", (image) => {
  const regions = boxesOf(golden.proposals[image]);

  it("has these proposals", () => {
    const levels = golden.levels.map((level, i): Level => ({
      objectness: mapOf(`objectness.${i}`, image, 3, level, 4),
      deltas: mapOf(`deltas.${i}`, image, 12, level, level.bound),
      sizes: [32 * 2 ** i],
    }));
    const [height, width] = golden.tensor;
    const options = { top: 500, keep: 200 };
    const ours = torchvisionProposals(levels, { height, width }, infos[image]!, options);
    expect(regions.length).toBe(200);
    expectNear(
      ours.map(({ box }) => box),
      regions,
    );
  });

  it("has these detections", () => {
    const before = golden.proposals.slice(0, image).reduce((sum, each) => sum + boxesOf(each).length, 0);
    const all = golden.proposals.reduce((sum, each) => sum + boxesOf(each).length, 0);
    const part = (name: string, width: number, bound: number) =>
      rowsOf(uniform(name, all * width, -bound, bound), width).slice(before, before + regions.length);
    const ours = torchvisionDetections(regions, part("logits", 7, 3), part("regression", 28, 4), infos[image]!);
    const { boxes, scores, labels } = golden.found[image]!;
    expect(ours.map(({ label }) => label + 1)).toEqual(labels);
    expectNear([ours.map(({ score }) => score)], [numbers(scores)]);
    expectNear(
      ours.map(({ box }) => box),
      boxesOf(boxes),
    );
  });
});

describe("torchvision's operators", () => {
  it("choose these levels", () => {
    expect(boxesOf(golden.assigned.regions).map((region) => torchvisionLevel(region))).toEqual(golden.assigned.levels);
  });

  const map = { height: 12, width: 17, values: uniform("map", 12 * 17, -1, 1) };
  const regions = boxesOf(golden.pooled["regions"]);

  it("pool by Caffe's rule", () => {
    expectNear(
      regions.map((region) => roiPool(map, region, [3, 4], 1 / 16)),
      rowsOf(numbers(golden.pooled["pool"]), 12),
    );
  });

  it.each([
    ["align0", 0, false],
    ["align2", 2, false],
    ["align0_aligned", 0, true],
    ["align2_aligned", 2, true],
  ] as const)("average samples: %s", (name, sampling, aligned) => {
    expectNear(
      regions.map((region) => roiAlign(map, region, [3, 4], { factor: 1 / 16, sampling, aligned })),
      rowsOf(numbers(golden.pooled[name]), 12),
    );
  });
});
