/** Drawings of the standard library's networks. */
import { describe, expect, it } from "vitest";
import { elaborate, memoryHost, parseTarget } from "../../../compiler/index.js";
import type { Model } from "../../../compiler/model.js";
import { figure } from "../../../runtime/figures/figure.js";
import { layout } from "../../../runtime/figures/layout.js";
import { planColumn, type Box } from "../../../runtime/figures/plan.js";

function network(target: string, files: Readonly<Record<string, string>> = {}): Model {
  const { model, diagnostics } = elaborate(parseTarget(target), { host: memoryHost(files) });
  if (model === undefined) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return model;
}

const whole = { collapse: false };
const labels = (model: Model, options = whole) =>
  planColumn(model, options).rows.map((row) => (row.kind === "box" ? row.label : row.merge));

describe("figure 3's residual network", () => {
  const column = planColumn(network("ResNet34A"), whole);

  it("has the paper's boxes", () => {
    const stage = (width: number, blocks: number, stride: string) => [
      `3x3 conv, ${width}${stride}`,
      ...Array.from({ length: 2 * blocks - 1 }, () => `3x3 conv, ${width}`),
    ];
    expect(labels(network("ResNet34A"))).toEqual([
      "7x7 conv, 64, /2",
      "pool, /2",
      ...stage(64, 3, ""),
      ...stage(128, 4, ", /2"),
      ...stage(256, 6, ", /2"),
      ...stage(512, 3, ", /2"),
      "avg pool",
      "fc 1000",
    ]);
  });

  it("has the paper's shortcuts: round every two layers, dotted where the shape changes", () => {
    expect(column.arcs).toHaveLength(16);
    expect(column.arcs.every((arc) => arc.to === arc.from + 1)).toBe(true);
    const dotted = column.arcs.filter((arc) => arc.kind !== "identity");
    expect(dotted.map((arc) => (column.rows[arc.from] as Box).label)).toEqual([
      "3x3 conv, 128, /2",
      "3x3 conv, 256, /2",
      "3x3 conv, 512, /2",
    ]);
    expect(dotted.every((arc) => arc.kind === "padding")).toBe(true);
  });

  it("stands at the paper's output sizes", () => {
    const sizes = column.rows.map((row) => row.size);
    expect([...new Set(sizes)]).toEqual(["112", "56", "28", "14", "7", "1"]);
  });
});

it("a plain network has no shortcuts", () => {
  expect(planColumn(network("Plain34"), whole).arcs).toEqual([]);
});

it("projections are told from identities", () => {
  const kinds = planColumn(network("ResNet34C"), whole).arcs.map((arc) => arc.kind);
  expect(new Set(kinds)).toEqual(new Set(["projection"]));
});

it("a gate is an arc inside the block's, and no level of its own", () => {
  const { arcs, rows } = planColumn(network("SEResNet50"), whole);
  expect(arcs.slice(0, 2)).toMatchObject([
    { depth: 0, merge: "multiply" },
    { depth: 1, kind: "projection" },
  ]);
  expect([...new Set(rows.map((row) => row.size))]).toEqual(["112", "56", "28", "14", "7", "1"]);
});

describe("long networks", () => {
  it("draw equal blocks once, with their number", () => {
    const { repeats } = planColumn(network("ResNet152"), { collapse: true });
    expect(repeats.map((repeat) => repeat.count)).toEqual([2, 7, 35, 2]);
  });

  it("do so by themselves, and stay short at any depth", () => {
    const svg = figure([network("CifarResNet(depth: 1202)")]);
    expect(svg).toContain("×200");
    expect(Number(/height="(\d+)/.exec(svg)![1])).toBeLessThan(1000);
  });

  it("do so where branches make them long", () => {
    const repeats = (name: string) => figure([network(name)]).match(/×\d+/g);
    expect(repeats("DeepLabV3_ResNet50")).toEqual(["×2", "×3", "×5", "×2"]);
    expect(repeats("ShuffleNetV2_x1_0")).toEqual(["×3", "×7", "×3"]);
    expect(repeats("ResNet50")).toBeNull();
  });

  it("can be drawn whole", () => {
    const svg = figure([network("ResNet152")], { collapse: false });
    expect(svg.match(/1x1 conv, 1024</g)).toHaveLength(36);
  });
});

const BRANCHES = `network Branches {
  input image 3x16x16
  stage conv1 { concat { conv 1x1, 4 } { conv 3x3, 4   conv 3x3, 8 } { identity }   conv 1x1, 4 }
}
`;

it("branches stand side by side, with the merge below them", () => {
  const model = network("b.resnet", { "b.resnet": BRANCHES });
  const column = planColumn(model, whole);
  expect(column.rows[0]).toMatchObject({ kind: "fork", merge: "concat", size: "16" });
  const svg = figure([model]);
  for (const label of ["3x3 conv, 4", "3x3 conv, 8", "concat"]) expect(svg).toContain(`>${label}<`);
});

describe("a network that is no chain", () => {
  const source = (body: string): Model => network("n.resnet", { "n.resnet": `network N {\n${body}\n}\n` });
  const unet = source(`  input image 3x32x32
  stage down1 { conv 3x3, 16   relu }
  max_pool 2x2, /2
  stage down2 { conv 3x3, 32   relu }
  max_pool 2x2, /2
  stage middle { conv 3x3, 64   relu }
  stage up2 { upsample 2   conv 1x1, 32   add { down2 } { identity }   conv 3x3, 32 }
  stage up1 { upsample 2   conv 1x1, 16   concat { down1 } { identity }   conv 3x3, 16 }`);
  const heads = source(`  input image 3x32x32
  stage trunk { conv 3x3, 16, /2   bn   relu }
  stage a { conv 3x3, 16, groups: 16   conv 1x1, 4 }
  stage b { conv 3x3, 16, dilation: 2 on trunk   conv 1x1, 8 }
  output a, b`);
  /** `add <- 1x1 conv, 32 | 3x3 conv, 32`, of every row that takes anything but the row before it. */
  const joins = (model: Model, collapse = false): string[] => {
    const { rows } = planColumn(model, { collapse });
    const name = (row: number): string => {
      const found = rows[row];
      return found === undefined ? "image" : found.kind === "box" ? found.label : found.merge;
    };
    return rows.flatMap(({ from }, row) =>
      from.every((each) => each === row - 1) ? [] : [`${name(row)} <- ${from.map(name).join(" | ")}`],
    );
  };

  it("has merges with what skips to them", () => {
    expect(joins(unet)).toEqual(["add <- 3x3 conv, 32 | 1x1 conv, 32", "concat <- 3x3 conv, 16 | 1x1 conv, 16"]);
    expect(figure([unet])).toContain(">concat<");
    // What is cropped lends nothing to the map that it is cropped like.
    const concats = ["512", "256", "128", "64"].map((width) => [
      `crop <- 3x3 conv, ${width}`,
      `concat <- 2x2 conv transpose, ${width}, /2 | crop`,
    ]);
    expect(joins(network("UNet"))).toEqual(concats.flat());
  });

  it("has heads beside each other, groups and dilation in their labels", () => {
    expect(joins(heads)).toEqual(["3x3 conv, 16, dilation 2 <- 3x3 conv, 16, /2"]);
    const { boxes } = layout([planColumn(heads, whole)]);
    const at = (label: string) => boxes.find(({ box }) => box.label === label)!;
    expect(at("3x3 conv, 16, groups 16").y).toBe(at("3x3 conv, 16, dilation 2").y);
    expect(at("3x3 conv, 16, groups 16").x).toBeLessThan(at("3x3 conv, 16, dilation 2").x);
  });

  it("has the pyramid of a detector, its laterals merged from above, blocks drawn once", () => {
    const model = network("FasterRCNN_ResNet50_FPN");
    const column = planColumn(model, { collapse: true });
    expect(column.isChain).toBe(false);
    const added = column.rows.flatMap((row) => (row.kind === "merge" && row.merge === "add" ? [row] : []));
    expect(added).toHaveLength(3);
    for (const { from } of added) {
      expect(from.map((each) => (column.rows[each] as Box).label).sort()).toEqual(["1x1 conv, 256", "upsample"]);
    }
    expect(column.repeats.map(({ count }) => count)).toEqual([2, 3, 5, 2]);
  });

  it.each<[string, Model]>([
    ["a U-Net", unet],
    ["heads", heads],
    ["a detector", network("FasterRCNN_ResNet50_FPN")],
  ])("leads every line of %s past the boxes, and every row below what it takes", (_, model) => {
    const column = planColumn(model, { collapse: true });
    const { boxes, lines, width, height } = layout([column]);
    for (const [index, a] of boxes.entries()) {
      expect(a.x >= 0 && a.x + a.width <= width && a.y + a.height <= height).toBe(true);
      for (const b of boxes.slice(index + 1)) {
        const apart = a.x + a.width < b.x || b.x + b.width < a.x || a.y + a.height < b.y || b.y + b.height < a.y;
        expect(apart, `${a.box.path} and ${b.box.path}`).toBe(true);
      }
    }
    for (const { points } of lines) {
      points.slice(1).forEach(([x, y], index) => {
        const [fromX, fromY] = points[index]!;
        for (const box of boxes) {
          const beside = Math.max(x, fromX) <= box.x || Math.min(x, fromX) >= box.x + box.width;
          const apart = Math.max(y, fromY) <= box.y || Math.min(y, fromY) >= box.y + box.height;
          expect(beside || apart, box.box.path).toBe(true);
        }
      });
    }
    for (const { box, y } of boxes) {
      const row = column.rows.find((each) => each.kind === "box" && each.path === box.path)!;
      for (const from of row.from) {
        const above = boxes.find((each) => each.box === column.rows[from]);
        if (above) expect(above.y).toBeLessThan(y);
      }
    }
  });

  it("stands for itself among others", () => {
    const svg = figure([network("ResNet18"), unet]);
    for (const title of ["ResNet18", "N"]) expect(svg).toContain(`class="title">${title}<`);
  });
});

it("sizes that are open are drawn as symbols", () => {
  const { model } = elaborate(parseTarget("ResNet18"), { input: [3, "H", "W"] });
  expect(figure([model!])).toContain("size: H/2xW/2");
});

it("is well-formed XML whatever the titles", () => {
  const svg = figure([network("Plain18")], { titles: [`<&"'> \u0000`] });
  expect(svg).toContain("&lt;&amp;&quot;'&gt; \ufffd");
  const tags = [...svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)];
  const open: string[] = [];
  for (const [, close, name, empty] of tags) {
    if (close) expect(open.pop()).toBe(name);
    else if (!empty) open.push(name!);
  }
  expect(open).toEqual([]);
});
