/** The operators against torchvision's own, in float32 (test/oracle/detection_ops_golden.py). */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { check, runOperator, type Input, type Tensor } from "./run.js";
import { indicesOf, ranked, rowsOf, tensor } from "./reference.js";
import { input, LOWEST } from "./samples.js";

interface Stored {
  readonly shape: readonly number[];
  /** Little-endian. */
  readonly float32?: string;
  readonly numbers?: readonly number[];
}

interface Golden {
  readonly suppression: readonly (Readonly<Record<"boxes" | "scores" | "kept", Stored>> & { readonly iou: number })[];
  readonly coding: readonly (Readonly<Record<"boxes" | "targets" | "deltas" | "decoded" | "encoded", Stored>> & {
    readonly weights: readonly number[];
    readonly clamp: number;
  })[];
  readonly anchors: readonly {
    readonly image: readonly [number, number];
    readonly map: readonly [number, number];
    readonly sizes: readonly number[];
    readonly ratios: readonly number[];
    readonly anchors: Stored;
  }[];
  readonly levels: Readonly<Record<"boxes" | "levels", Stored>>;
  readonly pooling: Readonly<Record<string, Stored>>;
}

const golden = JSON.parse(
  readFileSync(new URL("../../../golden/detection/operators.json", import.meta.url), "utf8"),
) as Golden;

function read(stored: Stored | undefined): Tensor {
  const { shape, float32, numbers } = stored!;
  if (numbers !== undefined) return { shape, data: numbers, dtype: "int64" };
  return tensor(shape, [...new Float32Array(new Uint8Array(Buffer.from(float32!, "base64")).buffer)]);
}

const given = (sizes: string, stored: Stored | undefined): Input => ({ ...read(stored), sizes });

/** The same values in another shape. */
const seen = (sizes: string, shape: readonly number[], stored: Stored): Input => input(sizes, shape, read(stored).data);

const variants = [13, 17].map((opset) => ({ opset, open: true }));

describe.each(variants)("as torchvision has it, at opset $opset", (variant) => {
  it.each(golden.suppression)("suppress, $iou", async ({ iou, boxes, scores, kept }) => {
    const count = scores.shape[0]!;
    const inputs = [seen("N T 4", [1, count, 4], boxes), seen("N T", [1, count], scores)];
    const attributes = { iou, keep: count, inclusive: false };
    const [left] = await runOperator("nms", inputs, attributes, variant);
    const order = ranked(left!.data).filter((index) => left!.data[index]! > LOWEST);
    expect(order).toEqual(kept.numbers);
  });

  it.each(golden.coding)("box_decode and box_encode, weights $weights", async (coding) => {
    const { clamp, boxes, deltas, decoded, targets, encoded } = coding;
    const weights = [...coding.weights];
    const count = boxes.shape[0]!;
    const inputs = [seen("R 1 4", [count, 1, 4], boxes), given("R K 4", deltas)];
    const attributes = { weights, clamp, inclusive: false, last_pixel: false };
    await check("box_decode", inputs, attributes, [read(decoded)], variant, 1e-6);
    const pair = [given("R 4", boxes), given("R 4", targets)];
    await check("box_encode", pair, { weights, inclusive: false }, [read(encoded)], variant, 1e-5);
  });

  it.each(golden.anchors)("anchors on $map", async ({ image, map, sizes, ratios, anchors }) => {
    const zeros = (name: string, shape: readonly number[]): Input =>
      input(
        name,
        shape,
        indicesOf(shape).map(() => 0),
      );
    const inputs = [zeros("N C h w", [1, 1, ...map]), zeros("N C H W", [1, 3, ...image])];
    const table = { sizes: [...sizes], ratios: [...ratios], order: "by_ratio", rounding: "corners", step: "grid" };
    await check("anchors", inputs, table, [read(anchors)], variant);
  });

  it("assign_level", async () => {
    const { boxes, levels } = golden.levels;
    const rows = rowsOf(read(boxes)).map((box) => [0, ...box]);
    const regions = input("R 5", [rows.length, 5], rows.flat());
    const rule = { rule: "area", canonical_level: 4, canonical_size: 224, min: 2, max: 5 };
    await check("assign_level", [regions], rule, [read(levels)], variant);
    expect(new Set(levels.numbers).size).toBe(4);
  });

  const { features, regions, pool, ...aligns } = golden.pooling;
  const pooling = { size: [3, 4], scale: [1 / 16, 1 / 16] };
  const inputs = [given("N C h w", features), given("R 5", regions)];

  it("roi_pool", () => check("roi_pool", inputs, pooling, [read(pool)], variant));

  // Before opset 16 an aligned region of less than a cell is another: pooling.test.ts.
  const names = Object.keys(aligns).filter((name) => variant.opset >= 16 || !name.endsWith("aligned"));
  it.each(names)("roi_align: %s", async (name) => {
    const attributes = { ...pooling, sampling: Number(name[5]), aligned: name.endsWith("_aligned") };
    await check("roi_align", inputs, attributes, [read(aligns[name])], variant, 1e-5);
  });
});
