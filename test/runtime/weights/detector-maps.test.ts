/** Detectors' name maps, against every name and shape of the files that people have. */
import { normalizationOf } from "../../../compiler/preprocess.js";
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { loadWeights, type LoadWeightsOptions } from "../../../runtime/weights/index.js";
import { isComplete, matchWeights, type Match } from "../../../runtime/weights/match.js";
import type { TensorSource } from "../../../runtime/weights/source.js";
import { strideWarning } from "../../../runtime/weights/stride.js";
import { fasterRcnnSource, fasterRcnnTensors, oldName } from "../../support/fasterrcnn-golden.js";
import { maskRcnnSource, maskRcnnTensors, oldName as oldMaskName } from "../../support/maskrcnn-golden.js";
import { oracleSource } from "../../support/oracle-weights.js";
import { tensorOf, torchFile } from "../../support/torch-file.js";
import { temporaryFolder } from "../../support/weight-files.js";

type Shapes = Record<string, readonly number[]>;

function matched(target: string, source: TensorSource): Match {
  const { model } = elaborate(parseTarget(target));
  const match = matchWeights(source, model!.graph.parameters, model!.weightMaps);
  expect(strideWarning(model!, match.map)).toBeUndefined();
  return match;
}

/** What a file lacks, has too much, or of another shape. */
function leftOver({ missing, unexpected, misshaped }: Match): unknown {
  return { missing, unexpected, misshaped };
}

const NOTHING = { missing: [], unexpected: [], misshaped: [] };

/** A convolution without bias and its frozen batch norm, as Detectron2 calls them (layers/wrappers.py, batch_norm.py). */
function normed(name: string, shape: readonly number[]): Shapes {
  const statistics = ["weight", "bias", "running_mean", "running_var"];
  return {
    [`${name}.weight`]: shape,
    ...Object.fromEntries(statistics.map((each) => [`${name}.norm.${each}`, shape.slice(0, 1)])),
  };
}

function layer(name: string, shape: readonly number[]): Shapes {
  return { [`${name}.weight`]: shape, [`${name}.bias`]: shape.slice(0, 1) };
}

/** modeling/backbone/resnet.py: a stage of bottlenecks, the first with a shortcut. */
function stage(name: string, blocks: number, given: number, width: number): Shapes {
  const each = Array.from({ length: blocks }, (_, block) => {
    const from = block === 0 ? given : 4 * width;
    return {
      ...(block === 0 && normed(`${name}.0.shortcut`, [4 * width, given, 1, 1])),
      ...normed(`${name}.${block}.conv1`, [width, from, 1, 1]),
      ...normed(`${name}.${block}.conv2`, [width, width, 3, 3]),
      ...normed(`${name}.${block}.conv3`, [4 * width, width, 1, 1]),
    };
  });
  return Object.assign({}, ...each) as Shapes;
}

/** The tensors of faster_rcnn_R_{50,101}_C4 for 80 classes. */
function detectron2(conv4: number): Shapes {
  return {
    ...normed("backbone.stem.conv1", [64, 3, 7, 7]),
    ...stage("backbone.res2", 3, 64, 64),
    ...stage("backbone.res3", 4, 256, 128),
    ...stage("backbone.res4", conv4, 512, 256),
    ...layer("proposal_generator.rpn_head.conv", [1024, 1024, 3, 3]),
    ...layer("proposal_generator.rpn_head.objectness_logits", [15, 1024, 1, 1]),
    ...layer("proposal_generator.rpn_head.anchor_deltas", [60, 1024, 1, 1]),
    ...stage("roi_heads.res5", 3, 1024, 512),
    ...layer("roi_heads.box_predictor.cls_score", [81, 2048]),
    ...layer("roi_heads.box_predictor.bbox_pred", [320, 2048]),
  };
}

describe("Detectron2's model zoo", () => {
  test.each([
    ["Detectron2_R50_C4", 6, 275],
    ["Detectron2_R101_C4", 23, 530],
  ])("%s", (target, conv4, count) => {
    const tensors = detectron2(conv4);
    expect(Object.keys(tensors)).toHaveLength(count);
    const match = matched(target, { ...oracleSource("model_final.pkl", tensors), format: "detectron2" });
    expect(leftOver(match)).toEqual(NOTHING);
    expect(match.map.name).toBe("detectron2_c4");
    expect(match.map.trainedWith?.name).toBe("detectron2_detection");
    expect(normalizationOf(match.map.trainedWith!)).toMatchObject({ color: "bgr" });
  });

  test("old files' constants are not needed", () => {
    const constants: Shapes = {
      pixel_mean: [3, 1, 1],
      pixel_std: [3, 1, 1],
      "proposal_generator.anchor_generator.cell_anchors.0": [15, 4],
      "backbone.stem.conv1.norm.num_batches_tracked": [],
    };
    const source = oracleSource("model_final.pkl", { ...detectron2(6), ...constants });
    expect(leftOver(matched("Detectron2_R50_C4", source))).toEqual(NOTHING);
  });

  test("each tensor is what its name says", () => {
    const { origins } = matched("Detectron2_R50_C4", oracleSource("model_final.pkl", detectron2(6)));
    const theirs = (path: string) => origins.get(path)?.tensors;
    expect(theirs("features.conv4.5.bn3.running_var")).toEqual(["backbone.res4.5.conv3.norm.running_var"]);
    expect(theirs("features.conv3.0.shortcut.bn.weight")).toEqual(["backbone.res3.0.shortcut.norm.weight"]);
    expect(theirs("head.conv5.2.conv2.weight")).toEqual(["roi_heads.res5.2.conv2.weight"]);
    expect(theirs("rpn.deltas.bias")).toEqual(["proposal_generator.rpn_head.anchor_deltas.bias"]);
  });
});

describe("torchvision's fasterrcnn_resnet50_fpn", () => {
  test("has these tensors", () => {
    const match = matched("FasterRCNN_FPN", oracleSource("fasterrcnn.pth", fasterRcnnTensors()));
    expect(leftOver(match)).toEqual(NOTHING);
    expect(match.map.epsilon).toBeUndefined();
    expect(match.origins.get("fpn.inner.1.conv.weight")?.tensors).toEqual(["backbone.fpn.inner_blocks.1.0.weight"]);
    expect(match.origins.get("head.fc1.bias")?.tensors).toEqual(["roi_heads.box_head.fc6.bias"]);
  });

  test("as it was released has older names, and batch norms without an epsilon", () => {
    const source = fasterRcnnSource({ ranges: {}, epsilon: 0 });
    for (const name of ["backbone.fpn.layer_blocks.3.bias", "rpn.head.conv.weight"]) {
      expect([...source.tensors.keys()]).toContain(name);
    }
    const match = matched("FasterRCNN_ResNet50_FPN", source);
    expect(leftOver(match)).toEqual(NOTHING);
    expect(match.map.epsilon).toBe(0);
  });
});

describe("torchvision's maskrcnn_resnet50_fpn", () => {
  test("has these tensors", () => {
    const match = matched("MaskRCNN_FPN", maskRcnnSource({ ranges: {} }));
    expect(leftOver(match)).toEqual(NOTHING);
    expect(match.map.name).toBe("torchvision_maskrcnn");
    expect(match.map.epsilon).toBeUndefined();
    const theirs = (path: string) => match.origins.get(path)?.tensors;
    expect(theirs("mask.mask_head.conv4.weight")).toEqual(["roi_heads.mask_head.3.0.weight"]);
    expect(theirs("mask.mask_head.conv_transpose.bias")).toEqual(["roi_heads.mask_predictor.conv5_mask.bias"]);
    expect(theirs("mask.mask_head.logits.weight")).toEqual(["roi_heads.mask_predictor.mask_fcn_logits.weight"]);
  });

  test("as it was released has older names, and batch norms without an epsilon", () => {
    const names = Object.entries(maskRcnnTensors()).filter(([name]) => !name.endsWith("num_batches_tracked"));
    const old = Object.fromEntries(names.map(([name, shape]) => [oldMaskName(name), shape]));
    expect(Object.keys(old)).toContain("roi_heads.mask_head.mask_fcn1.weight");
    const match = matched("MaskRCNN_ResNet50_FPN", oracleSource("maskrcnn.pth", old));
    expect(leftOver(match)).toEqual(NOTHING);
    expect(match.map.epsilon).toBe(0);
    expect(match.origins.get("mask.mask_head.conv1.weight")?.tensors).toEqual(["roi_heads.mask_head.mask_fcn1.weight"]);
  });
});

describe("torchvision's detector, by a file", () => {
  const model = elaborate(parseTarget("FasterRCNN_ResNet50_FPN")).model!;
  const variance = "backbone.body.bn1.running_var";
  const folder = temporaryFolder();

  /** Tensors of zeros but for one variance; names as they are since 0.13, or before. */
  async function load(old: boolean, options: LoadWeightsOptions = {}, classes = 91) {
    const file = path.join(folder, "fasterrcnn.safetensors");
    const heads: Shapes = { cls_score: [classes, 1024], bbox_pred: [4 * classes, 1024] };
    const tree = Object.entries(fasterRcnnTensors()).map(([name, shape]) => {
      const [, head, part] = /box_predictor\.(\w+)\.(\w+)$/.exec(name) ?? [];
      const its = head === undefined ? shape : part === "weight" ? heads[head]! : heads[head]!.slice(0, 1);
      return [old ? oldName(name) : name, tensorOf(its, name === variance ? 1e-4 : 0)] as const;
    });
    fs.writeFileSync(file, torchFile(Object.fromEntries(tree), "safetensors"));
    const loaded = await loadWeights(model, file, options);
    const [first] = loaded.values.get("body.conv1.bn.running_var")!;
    loaded.close();
    return { ...loaded, epsilon: loaded.report.epsilon, first: first! };
  }

  test.each([
    ["by its new names", false, 1e-5, 1e-4],
    ["by its old names", true, 0, 9e-5],
  ])("%s says which epsilon was taken, and how the other is", async (_, old, epsilon, first) => {
    const found = await load(old);
    expect(found.epsilon).toBe(epsilon);
    expect(found.first).toBeCloseTo(first, 10);
    const other = old ? "0.00001" : "0";
    expect(found.notes.join("\n")).toMatch(
      new RegExp(`an epsilon of ${epsilon || "0"}, as files .*the file does not say it.* --epsilon ${other}$`),
    );
  });

  test.each([
    [false, 0, 9e-5],
    [true, 1e-5, 1e-4],
    [false, 1e-3, 1e-4 + 1e-3 - 1e-5],
  ])("--epsilon chooses (old names: %s, %d)", async (old, epsilon, first) => {
    const found = await load(old, { epsilon });
    expect(found.epsilon).toBe(epsilon);
    expect(found.first).toBeCloseTo(first, 10);
    expect(found.notes.at(-1)).toBe(`batch norms with an epsilon of ${epsilon}, as asked for`);
  });

  test.each([
    [2, "1 class"],
    [21, "20 classes"],
  ])("of %i scores has the background and %s", async (classes, said) => {
    await expect(load(false, {}, classes)).rejects.toThrow(
      new RegExp(`the file has the background and ${said}, the network the background and 90\n.*--new-head`),
    );
    const fresh = (await load(false, { newHead: true }, classes)).report;
    expect(fresh).toMatchObject({ misshaped: [], missing: [] });
    expect(fresh.fresh).toHaveLength(4);
  });
});

describe("py-faster-rcnn's VGG-16", () => {
  /** Blobs as models/pascal_voc/VGG16/faster_rcnn_end2end/test.prototxt has layers. */
  function blobs(classes: number, anchors: number): Shapes {
    const widths = [
      [64, 64],
      [128, 128],
      [256, 256, 256],
      [512, 512, 512],
      [512, 512, 512],
    ]; // conv1 to conv5
    const stages = widths.flatMap((stage, s) => stage.map((width, k) => ({ name: `conv${s + 1}_${k + 1}`, width })));
    const layers: [name: string, shape: readonly number[]][] = [
      ...stages.map(({ name, width }, i): [string, readonly number[]] => [
        name,
        [width, stages[i - 1]?.width ?? 3, 3, 3],
      ]),
      ["rpn_conv/3x3", [512, 512, 3, 3]],
      ["rpn_cls_score", [2 * anchors, 512, 1, 1]],
      ["rpn_bbox_pred", [4 * anchors, 512, 1, 1]],
      ["fc6", [4096, 512 * 7 * 7]],
      ["fc7", [4096, 4096]],
      ["cls_score", [classes + 1, 4096]],
      ["bbox_pred", [4 * (classes + 1), 4096]],
    ];
    return Object.fromEntries(
      layers.flatMap(([name, shape]) => [
        [`${name}/0`, shape],
        [`${name}/1`, shape.slice(0, 1)],
      ]),
    );
  }

  test.each([
    ["FasterRCNN_VGG16", 20, 9],
    ["FasterRCNN_VGG16(classes: 80, sizes: [64, 128, 256, 512])", 80, 12],
  ])("%s", (target, classes, anchors) => {
    const tensors = blobs(classes, anchors);
    expect(Object.keys(tensors)).toHaveLength(2 * (13 + 3 + 4));
    const match = matched(target, { ...oracleSource("VGG16.caffemodel", tensors), format: "caffe" });
    expect(leftOver(match)).toEqual(NOTHING);
    expect(match.map.name).toBe("caffe_faster_rcnn");
    expect(isComplete(match)).toBe(true);
  });
});

describe("MSRA's ResNets, with which detectors begin to be trained", () => {
  /** ImageNetPretrained/MSRA/R-50.pkl: facts of Detectron2's c2_model_loading.py. */
  function pretrained(counts: readonly number[]): Shapes {
    const norm = (name: string, width: number): Shapes =>
      Object.fromEntries(["gamma", "beta", "running_mean", "running_var"].map((each) => [`${name}_${each}`, [width]]));
    const blocks = counts.flatMap((count, index) => {
      const [s, width] = [index + 2, 64 * 2 ** index];
      const given = index === 0 ? 64 : 2 * width;
      return Array.from({ length: count }, (_, b): Shapes => {
        const from = b === 0 ? given : 4 * width;
        const shapes: readonly (readonly number[])[] = [
          [width, from, 1, 1],
          [width, width, 3, 3],
          [4 * width, width, 1, 1],
        ];
        return Object.assign(
          b === 0
            ? { [`res${s}_0_branch1_w`]: [4 * width, given, 1, 1], ...norm(`res${s}_0_branch1_bn`, 4 * width) }
            : {},
          ...shapes.map((shape, k) => {
            const name = `res${s}_${b}_branch2${"abc"[k]!}`;
            return { [`${name}_w`]: shape, ...norm(`${name}_bn`, shape[0]!) };
          }),
        ) as Shapes;
      });
    });
    return Object.assign(
      { conv1_w: [64, 3, 7, 7], ...norm("res_conv1_bn", 64), fc1000_w: [1000, 2048], fc1000_b: [1000] },
      ...blocks,
    ) as Shapes;
  }

  test.each([
    ["FasterRCNN_ResNet50", [3, 4, 6, 3]],
    ["FasterRCNN_ResNet101", [3, 4, 23, 3]],
    ["Detectron2_R50_C4", [3, 4, 6, 3]],
  ])("give %s all but what is new in it", (target, counts) => {
    const source = { ...oracleSource("R.pkl", pretrained(counts)), format: "detectron2" as const };
    const match = matched(target, source);
    expect(match.map.name).toBe("msra_detectron2");
    expect(match.misshaped).toEqual([]);
    expect(match.missing.filter(({ path }) => !/^(rpn|head\.siblings|found)\./.test(path))).toEqual([]);
    expect(match.missing.length).toBe(10);
    expect(match.unexpected.every((name) => name.startsWith("fc1000"))).toBe(true);
    // A classifier's preprocessing does not become the detector's.
    expect(match.map.trainedWith?.transforms[0]).toHaveProperty("longest");
  });
});
