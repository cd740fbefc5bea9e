/** Detectors in the language: what they give, and what is said where something does not fit. */
import { describe, expect, it } from "vitest";
import { elaborate, parseTarget, standardTargets } from "../../../compiler/index.js";
import { memoryHost } from "../../../compiler/host.js";
import { formatShape } from "../../../compiler/ir/dim.js";
import { verify } from "../../../compiler/ops/verify.js";
import { INFERENCE_PASSES, runPasses } from "../../../compiler/passes/index.js";
import { summarize } from "../../../compiler/summary.js";

const found = (source: string) => elaborate(parseTarget("net.resnet"), { host: memoryHost({ "net.resnet": source }) });
const problems = (source: string): string[] =>
  found(source).diagnostics.map(({ code, message }) => `${code}: ${message}`);

/** Three anchors a place, two classes; `more` stands for its parts. */
const detector = (more: Readonly<Record<string, string>> = {}): string => {
  const parts = {
    keyword: "detector",
    rules: "dialect detectron2",
    objectness: "objectness = conv 1x1, 3 on features",
    deltas: "deltas = conv 1x1, 12 on features",
    propose: "regions = propose(objectness, deltas, sizes: [32], ratios: [0.5, 1, 2], top: 100, nms: 0.7, keep: 10)",
    pool: "roi_align features, 7x7",
    head: "pooled = global_avg_pool   fc 3   scores = softmax   boxes = fc 8 on pooled",
    end: "detect(regions, scores, boxes, nms: 0.5, keep: 5)",
    ...more,
  };
  return `import { detectron2 } from "std/dialects"
    import { detect, propose } from "std/detection"
    ${parts.keyword} Net {
      input image 3xHxW
      ${parts.rules}
      features = conv 3x3, 8, /2
      ${parts.objectness}
      ${parts.deltas}
      ${parts.propose}
      ${parts.pool}
      ${parts.head}
      ${parts.end}
    }`;
};

/** What Detectron2's and torchvision's dialects say of objects in training images. */
const LEARNED = { crowd: "left_out", difficult: "learned", empty: "left_out" };

describe("a detector", () => {
  it("takes images and what is known of them, and gives boxes, scores, labels and rows", () => {
    const { model } = found(detector());
    expect(model!.graph.inputs.map(({ name, value }) => `${name} ${formatShape(value.type.shape)}`)).toEqual([
      "image [N, 3, H, W]",
      "image_info [M, 6]",
    ]);
    expect(
      model!.graph.outputs.map(({ name, value }) => `${name} ${value.type.dtype} ${formatShape(value.type.shape)}`),
    ).toEqual(["boxes float32 [D, 4]", "scores float32 [D]", "labels int64 [D]", "images int64 [D]"]);
    expect(model!.detection).toEqual({ boxes: "exclusive", objects: LEARNED });
  });

  it("gives masks where what it ends with has them", () => {
    const masks = (tensor: string): string => `
      found = detect(regions, scores, boxes, nms: 0.5, keep: 5)
      found_regions(found)
      roi_align features, 4x4
      every = conv 1x1, 3
      ${tensor}`;
    const source = detector({ end: masks("with_masks(found, every)") });
    const { model } = found(source.replace("{ detect, propose }", "{ detect, found_regions, propose, with_masks }"));
    const { name, value } = model!.graph.outputs.at(-1)!;
    expect(`${name} ${value.type.dtype} ${formatShape(value.type.shape)}`).toBe("masks float32 [D, 4, 4]");
    expect(model!.detection).toEqual({ boxes: "exclusive", masks: true, objects: LEARNED });
    const { graph } = model!;
    verify(runPasses(INFERENCE_PASSES, graph, { precision: "fp16" }, (_, passed) => void verify(passed)));
  });

  it("gives no masks that are none", () => {
    const flat = `block flat(found) {
      scores = found.scores   labels = found.labels   images = found.images   masks = identity on scores
      boxes = found.boxes
    }`;
    const end = "found = detect(regions, scores, boxes, nms: 0.5, keep: 5)   flat(found)";
    expect(problems(`${detector({ end })}\n${flat}`)).toEqual([
      "invalid-shape: a detector's masks are [D, height, width], a row for each box, not [D]",
    ]);
  });

  it("gives what `output` names besides", () => {
    const { model } = found(detector({ end: "detect(regions, scores, boxes, nms: 0.5, keep: 5)   output features" }));
    expect(model!.graph.outputs.map(({ name }) => name)).toEqual(["boxes", "scores", "labels", "images", "features"]);
  });

  it("detects twice where `output` gives both", () => {
    const end = `first = detect(regions, scores, boxes, nms: 0.5, keep: 5)
      coarse = identity on first.boxes   output coarse
      detect(regions, scores, boxes, nms: 0.3, keep: 5)`;
    expect(problems(detector({ end }))).toEqual([]);
  });

  it("keeps its types through every pass, in half precision and at a fixed size too", () => {
    const { graph } = found(detector()).model!;
    for (const context of [{}, { precision: "fp16" as const }, { sizes: { N: 2, H: 64, W: 96 } }]) {
      verify(runPasses(INFERENCE_PASSES, graph, context, (_, passed) => void verify(passed)));
    }
  });

  it("has its layers' costs for as many regions as are kept", () => {
    const { model } = found(detector());
    const fc = summarize(model!).layers.find(({ path }) => path === "fc");
    expect(fc?.macs).toBe(10 * 8 * 3);
  });

  it.each([
    ["stands with its word", { keyword: "network" }, /^misplaced-statement: `propose` stands in a detector/],
    ["names its dialect", { rules: "" }, /^missing-argument: `propose` needs the detector's dialect/],
    ["ends with detect", { end: "" }, /^missing-detect: detector Net detects nothing/],
    [
      "has an anchor for each size and ratio",
      { objectness: "objectness = conv 1x1, 6 on features" },
      /^assertion-failed: sigmoid objectness of 3 anchors a place needs 3 channels, got \[N, 6, /,
    ],
    [
      "has four deltas for each anchor",
      { deltas: "deltas = conv 1x1, 16 on features" },
      /^assertion-failed: deltas of 3 anchors a place need 12 channels, got \[N, 16, /,
    ],
    [
      "has as many deltas as maps",
      {
        propose:
          "regions = propose([objectness, objectness], [deltas], sizes: [[32], [64]], ratios: [1], top: 9, nms: 0.7, keep: 9)",
      },
      /^assertion-failed: 1 deltas for 2 objectness: as many are needed/,
    ],
    [
      "pools from regions",
      { pool: "roi_align features, 7x7 on features" },
      /^invalid-shape: roi_align needs regions \[R, 5\], got \[N, 8, /,
    ],
    [
      "pools from one map, or from several by a block that chooses",
      { pool: "roi_align [features, features], 7x7" },
      /^wrong-type: `map` of `roi_align` must be a tensor, not a list/,
    ],
    [
      "has a box for each class",
      { head: "pooled = global_avg_pool   fc 3   scores = softmax   boxes = fc 7 on pooled" },
      /^assertion-failed: 2 classes need deltas \[R, 8\] \(or 12 with the background's\), not \[R, 7\]/,
    ],
    [
      "pools from some map",
      { pool: "roi_align [], 7x7" },
      /^wrong-type: `map` of `roi_align` must be a tensor, not a list/,
    ],
    [
      "has regions to detect in",
      { end: "detect(features, scores, boxes, nms: 0.5, keep: 5)" },
      /^assertion-failed: `detect` needs regions \[R, 5\], got \[N, 8, /,
    ],
    [
      "detects once",
      { end: "detect(regions, scores, boxes, nms: 0.5, keep: 5)   detect(regions, scores, boxes, nms: 0.3, keep: 5)" },
      /^unused-detections: what is detected here is lost/,
    ],
    [
      "ends with what it detects",
      {
        end: "a = detect(regions, scores, boxes, nms: 0.5, keep: 5)   b = detect(regions, scores, boxes, nms: 0.3, keep: 5)   a",
      },
      /^unused-detections: what is detected here is lost/,
    ],
    [
      "scores rows",
      { end: "detect(regions, features, boxes, nms: 0.5, keep: 5)" },
      /^assertion-failed: scores must be \[R, classes\]/,
    ],
    [
      "has thresholds that are overlaps",
      { end: "detect(regions, scores, boxes, nms: 50, keep: 5)" },
      /^assertion-failed: `nms` is an overlap from 0 to 1, not 50/,
    ],
  ])("%s", (_, more, problem) => {
    const [first, ...others] = problems(detector(more)).filter((line) => !line.startsWith("unused-import"));
    expect(first).toMatch(problem);
    expect(others).toEqual([]);
  });

  it.each([
    ["`pyramid_roi_align(maps, 7x7)`", { pool: "roi_align [features, features], 7x7" }],
    ["`scale_roi_pool` (std/detection)", { pool: "roi_pool [features, features], 7x7" }],
    ["there is an anchor for each size and ratio", { objectness: "objectness = conv 1x1, 6 on features" }],
    ["`propose` gives them", { end: "detect(features, scores, boxes, nms: 0.5, keep: 5)" }],
    ["`fc` gives them", { end: "detect(regions, features, boxes, nms: 0.5, keep: 5)" }],
  ])("is helped: %s", (help, more) => {
    const [first] = found(detector(more)).diagnostics.filter(({ severity }) => severity === "error");
    expect(first?.help).toContain(help);
    expect(first?.message).not.toContain("\n");
  });

  it("is no layer of a network", () => {
    const source = `${detector()}\n network Outer { input image 3x64x64   Net }`;
    const { diagnostics } = elaborate(parseTarget("net.resnet#Outer"), { host: memoryHost({ "net.resnet": source }) });
    expect(diagnostics.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      "not-a-layer: the detector `Net` can't stand among layers",
    ]);
  });

  it("has an input and outputs of different names", () => {
    expect(
      problems(
        detector()
          .replace("input image", "input boxes")
          .replace("boxes = fc", "edges = fc")
          .replace("scores, boxes", "scores, edges"),
      ),
    ).toEqual(["duplicate-name: the input and an output are both called `boxes`"]);
  });
});

describe("a dialect", () => {
  const dialect = (body: string): string[] =>
    problems(
      `dialect mine { ${body} }\n${detector({ rules: "dialect mine" }).replace(/import .* detectron2 .*\n/, "")}`,
    );
  const rules = {
    boxes: "exclusive",
    deltas: "[10, 10, 5, 5]",
    anchors: "none, by_size, fixed",
    objectness: "sigmoid",
    proposals: "before",
    background: "last",
    detections: "input",
  };
  const body = (changes: Readonly<Record<string, string | undefined>> = {}): string =>
    Object.entries({ ...rules, ...changes })
      .flatMap(([word, given]) => (given === undefined ? [] : [`${word} ${given}`]))
      .join("   ");

  it("says everything", () => {
    expect(dialect(body())).toEqual([]);
    for (const word of Object.keys(rules)) {
      expect(dialect(body({ [word]: undefined }))[0]).toBe(`missing-argument: dialect mine needs \`${word}\``);
    }
  });

  it("chooses among the ways there are", () => {
    expect(dialect(body({ anchors: "floor, by_size, fixed" }))[0]).toBe(
      "out-of-range: `rounding` of `anchors` must be none or corners or base, not `floor`",
    );
    expect(dialect(body({ deltas: "[10, 10]" }))[0]).toBe(
      "out-of-range: `regions` of `deltas` are four numbers, not 2",
    );
  });
});

it("every standard detector keeps its types through the passes", () => {
  const detectors = standardTargets()
    .map((name) => elaborate(parseTarget(name)).model!)
    .filter((model) => model.detection);
  expect(detectors.length).toBeGreaterThan(8);
  for (const { graph } of detectors) runPasses(INFERENCE_PASSES, graph, {}, (_, passed) => void verify(passed));
});

describe("labels", () => {
  it.each([
    ["FasterRCNN_VGG16", 20, "aeroplane"],
    ["FasterRCNN_ResNet101(classes: 80)", 80, "person"],
    ["FasterRCNN_FPN", 90, "person"],
    ["RetinaNet", 91, "background"],
    ["FCOS(classes: 80)", 80, "person"],
    ["SSD300(classes: 20)", 20, "aeroplane"],
    ["RetinaNet(classes: 7)", undefined, undefined],
  ])("of %s are as many as its classes, where the data set is known by them", (target, count, first) => {
    const { labels } = elaborate(parseTarget(target)).model!;
    expect([labels?.length, labels?.[0]]).toEqual([count, first]);
  });

  it("are none where that is said, and not forgotten by a word alone", () => {
    const net = (labels: string) => `network Net { input image 3x8x8   ${labels}   fc 2 }`;
    expect(found(net(`labels ["cat", "dog"]`)).model!.labels).toEqual(["cat", "dog"]);
    expect(found(net(`labels none`)).model!.labels).toBeUndefined();
    expect(problems(net("labels"))[0]).toMatch(/^syntax-error: /);
  });
});
