import { describe, expect, it } from "vitest";
import { layout } from "../../../runtime/figures/layout.js";
import { alignable, commonOrder } from "../../../runtime/figures/levels.js";
import type { Arc, Box, Column } from "../../../runtime/figures/plan.js";

const box = (label: string, size: number): Box => {
  return { kind: "box", label, size: String(size), path: label, from: [] };
};
const column = (title: string, rows: Box[], arcs: Arc[] = []): Column => ({
  title,
  input: "image",
  isChain: true,
  rows,
  arcs,
  repeats: [],
});
const identity = (from: number, to: number, depth = 0): Arc => ({ from, to, kind: "identity", depth, note: "" });

describe("levels", () => {
  it("keep every column's own order", () => {
    expect(
      commonOrder([
        ["224", "112", "56"],
        ["112", "56", "28"],
      ]),
    ).toEqual(["224", "112", "56", "28"]);
    expect(
      commonOrder([
        ["112", "56"],
        ["224", "112"],
      ]),
    ).toEqual(["224", "112", "56"]);
  });

  it("let a size come back, as in networks that enlarge again", () => {
    expect(
      commonOrder([
        ["4", "2", "4"],
        ["4", "2", "1", "2", "4"],
      ]),
    ).toEqual(["4", "2", "1", "2", "4"]);
  });

  it("of networks with nothing in common are one after the other", () => {
    const order = commonOrder([
      ["32", "16"],
      ["7", "5"],
    ]);
    expect(order.filter((size) => ["32", "16"].includes(size))).toEqual(["32", "16"]);
    expect(order.filter((size) => ["7", "5"].includes(size))).toEqual(["7", "5"]);
  });
});

it("columns without sizes in common are not aligned", () => {
  const [a, b, c] = [
    [8, 4, 1],
    [8, 4, 2, 1],
    [5, 3, 1],
  ].map((sizes, index) =>
    column(
      String(index),
      sizes.map((size) => box("x", size)),
    ),
  );
  expect(alignable([a!, b!, c!]).map((group) => group.map(({ title }) => title))).toEqual([["0", "1"], ["2"]]);
  const { boxes } = layout([a!, c!]);
  expect(boxes[0]!.y).toBe(boxes.at(-3)!.y);
});

describe("layout", () => {
  const plain = column("plain", [box("a", 8), box("b", 8), box("c", 8), box("d", 4)]);
  const short = column("short", [box("e", 8), box("f", 4)]);

  it("puts equal output sizes level", () => {
    const { boxes } = layout([plain, short]);
    const y = (label: string): number => boxes.find(({ box }) => box.label === label)!.y;
    expect(y("e")).toBe(y("a"));
    expect(y("f")).toBe(y("d"));
  });

  it("overlaps nothing and stays inside", () => {
    const drawing = layout([plain, short]);
    for (const [index, a] of drawing.boxes.entries()) {
      expect(a.x >= 0 && a.x + a.width <= drawing.width && a.y >= 0 && a.y + a.height <= drawing.height).toBe(true);
      for (const b of drawing.boxes.slice(index + 1)) {
        const apart = a.x + a.width < b.x || b.x + b.width < a.x || a.y + a.height < b.y || b.y + b.height < a.y;
        expect(apart, `${a.box.label} and ${b.box.label}`).toBe(true);
      }
    }
  });

  it("leads a shortcut out above its first row and back below its last", () => {
    const { boxes, curves } = layout([column("r", plain.rows as Box[], [identity(1, 2)])]);
    const at = (label: string) => boxes.find(({ box }) => box.label === label)!;
    expect(curves).toHaveLength(1);
    const [curve] = curves;
    expect(curve!.top).toBeGreaterThan(at("a").y + at("a").height);
    expect(curve!.top).toBeLessThan(at("b").y);
    expect(curve!.bottom).toBeGreaterThan(at("c").y + at("c").height);
    expect(curve!.bottom).toBeLessThan(at("d").y);
  });

  it("passes an outer shortcut round an inner one", () => {
    const { curves } = layout([column("r", plain.rows as Box[], [identity(1, 1), identity(0, 2, 1)])]);
    expect(curves[1]!.bulge).toBeGreaterThan(curves[0]!.bulge);
  });

  it("makes boxes as wide as the longest label", () => {
    const wide = layout([column("w", [box("a label that is longer than any in the paper", 1)])]);
    expect(wide.boxes[0]!.width).toBeGreaterThan(layout([plain]).boxes[0]!.width);
  });
});
