/** The recipes of detectors as their authors have them, on the detectors that they are for. */
import { describe, expect, it } from "vitest";
import { elaborate, elaborateRecipe, parseTarget, type Recipe } from "../../../compiler/index.js";
import { planPhases } from "../../../compiler/training/phase-plan.js";
import { isInside, requirePart } from "../../../compiler/training/places.js";

function recipeOf(target: string): Recipe {
  const { recipe, diagnostics } = elaborateRecipe(parseTarget(target));
  expect(diagnostics).toEqual([]);
  return recipe!;
}

const sgd = { kind: "sgd", momentum: 0.9, weightDecay: 1e-4, nesterov: false, decayScope: "all", rule: "pytorch" };
const caffe = { ...sgd, weightDecay: 5e-4, rule: "caffe" };
const flip = { kind: "flip_horizontal" };
const TRUNK = ["features.conv1", "features.conv2"];

describe("recipes of detectors have their authors' numbers", () => {
  const detectron2 = {
    optimizer: sgd,
    batch: 16,
    accumulate: 1,
    learningRate: 0.02,
    warmUp: { kind: "steps", rate: 2e-5, steps: 1000 },
    parameterRates: [{ kind: "norms", decayTimes: 0 }],
    frozenStages: TRUNK,
    train: [{ kind: "random_resize_shorter", length: [640, 800], step: 32, longest: 1333, like: "pillow" }, flip],
  };

  it.each<[target: string, recipe: object]>([
    // models/pascal_voc/VGG16/faster_rcnn_end2end, experiments/scripts/faster_rcnn_end2end.sh
    [
      "faster_rcnn_voc",
      {
        optimizer: caffe,
        batch: 2,
        accumulate: 2,
        learningRate: 0.001,
        schedule: { kind: "divide", by: 10, at: [50_000], unit: "step" },
        stop: { steps: 70_000 },
        parameterRates: [{ kind: "biases", times: 2 }],
        frozenStages: TRUNK,
        train: [flip],
      },
    ],
    // Appendix A of the paper.
    [
      "faster_rcnn_coco",
      {
        optimizer: caffe,
        batch: 8,
        accumulate: 1,
        learningRate: 0.001,
        schedule: { kind: "divide", by: 10, at: [240_000], unit: "step" },
        stop: { steps: 320_000 },
        parameterRates: [{ kind: "biases", times: 2 }],
        frozenStages: TRUNK,
        train: [flip],
      },
    ],
    // configs/Base-RCNN-C4.yaml
    [
      "detectron2_1x",
      {
        ...detectron2,
        schedule: { kind: "divide", by: 10, at: [60_000, 80_000], unit: "step" },
        stop: { steps: 90_000 },
      },
    ],
    // configs/COCO-Detection/faster_rcnn_R_50_C4_3x.yaml
    [
      "detectron2_3x",
      {
        ...detectron2,
        schedule: { kind: "divide", by: 10, at: [210_000, 250_000], unit: "step" },
        stop: { steps: 270_000 },
      },
    ],
    // references/detection/train.py and README.md
    [
      "torchvision_detection_reference",
      {
        optimizer: sgd,
        batch: 16,
        learningRate: 0.02,
        warmUp: { kind: "steps", rate: 2e-5, steps: 1000 },
        schedule: { kind: "divide", by: 10, at: [16, 22], unit: "epoch" },
        stop: { epochs: 26 },
        frozenStages: ["body.conv1", "body.conv2"],
        train: [flip],
      },
    ],
    [
      "torchvision_detection_reference(rate: 0.01, frozen: [])",
      { learningRate: 0.01, warmUp: { kind: "steps", rate: 1e-5, steps: 1000 }, frozenStages: [] },
    ],
  ])("%s", (target, expected) => {
    const recipe = recipeOf(target);
    expect(recipe).toMatchObject({ ...expected, frozenBatchNorm: true, labelSmoothing: 0, evaluate: [] });
    expect(Object.keys(recipe)).not.toContain("clipNorm");
  });
});

/** Convolutions up to where training begins: VGG's first four, a ResNet's stem and the ten of its first stage. */
describe("what they freeze is in the detectors that they are for", () => {
  it.each([
    ["faster_rcnn_voc", "FasterRCNN_VGG16", 4],
    ["faster_rcnn_coco", "FasterRCNN_ResNet101", 11],
    ["detectron2_1x", "Detectron2_R50_C4", 11],
    ["detectron2_3x", "Detectron2_R101_C4", 11],
    ["torchvision_detection_reference", "FasterRCNN_ResNet50_FPN", 11],
    ["torchvision_detection_reference(0.01)", "RetinaNet_ResNet50_FPN", 11],
  ])("%s: %s", (recipe, detector, count) => {
    const { model } = elaborate(parseTarget(detector));
    const { frozenStages } = recipeOf(recipe);
    frozenStages.forEach((stage) => requirePart(model!, stage));
    const { parameters } = model!.graph;
    const frozen = parameters.filter(({ path }) => frozenStages.some((stage) => isInside(path, stage)));
    expect(frozen.filter(({ role }) => role === "weight")).toHaveLength(count);
  });
});

describe("the paper's own training, in four phases", () => {
  const [proposals, regions] = [{ learned: ["proposal_losses"] }, { learned: ["region_losses"] }];

  it.each([
    // tools/train_faster_rcnn_alt_opt.py, models/pascal_voc/VGG16/faster_rcnn_alt_opt
    ["faster_rcnn_voc_alternating", "FasterRCNN_VGG16", [1, 60_000, 80_000], [2, 30_000, 40_000]],
    // Appendix A
    ["faster_rcnn_coco_alternating", "FasterRCNN_ResNet101", [8, 240_000, 320_000], [16, 240_000, 320_000]],
  ] as const)("%s", (name, detector, ofProposals, ofRegions) => {
    const { phases } = recipeOf(name);
    const common = {
      optimizer: caffe,
      learningRate: 0.001,
      parameterRates: [{ kind: "biases", times: 2 }],
      train: [flip],
    };
    const numbers = ([batch, at, steps]: readonly [number, number, number]) => ({
      ...common,
      batch,
      schedule: { kind: "divide", by: 10, at: [at], unit: "step" },
      stop: { steps },
      frozenBatchNorm: true,
    });
    const shared = [...TRUNK, "features"];
    expect(phases).toMatchObject([
      { ...proposals, ...numbers(ofProposals), frozenStages: TRUNK },
      { ...regions, ...numbers(ofRegions), frozenStages: TRUNK, proposals: "rpn", beginsAnew: true },
      { ...proposals, ...numbers(ofProposals), frozenStages: shared },
      { ...regions, ...numbers(ofRegions), frozenStages: shared, proposals: "rpn_on_shared" },
    ]);
    const { model } = elaborate(parseTarget(detector));
    const plan = planPhases(model!, recipeOf(name));
    expect(plan.map(({ measures }) => measures)).toEqual(["proposals", "nothing", "network", "network"]);
  });
});
