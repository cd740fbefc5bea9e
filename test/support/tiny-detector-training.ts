/** A detector of three convolutions with rules of its own, and scenes that it is trained on in no time. */
import { elaborate, elaborateRecipe, memoryHost, parseTarget, type Model, type Recipe } from "../../compiler/index.js";
import { openScenes, type AnnotatedSplit, type DataSet } from "../../runtime/data/index.js";
import type { TrainOptions, TrainRequest, TrainResult } from "../../runtime/training/request.js";
import { train } from "../../runtime/training/trainer.js";

/** `empty`: whether it learns from images without objects. `norm`: whether its body has batch norms. */
export const TINY_DETECTOR = `import { detect, found_regions, propose, with_masks } from "std/detection"
import {
  mask_losses, object_regions, proposal_losses, region_losses, training_regions
} from "std/detection_training"
import { proposal_head, siblings } from "std/detectors"
import { by_deltas, candidates, detect_candidates } from "std/one_stage"
import { anchor_losses } from "std/one_stage_training"
import { rare } from "std/retinanet"

preprocess small { resize_shorter 48   normalize(mean: 0.5, std: 0.25) }

dialect few(empty = "left_out") {
  boxes exclusive
  deltas [10, 10, 5, 5], clamp: 4.1
  anchors rounding: none, order: by_size, step: fixed
  objectness sigmoid
  proposals rank: before
  background first
  detections coordinates: input, threshold: 0.01
  objects crowd: left_out, difficult: learned, empty: empty
  anchor_targets positive: 0.6, negative: 0.3, best: true, count: 16, share: 0.5, beta: 1 / 9, divide: drawn
  region_targets positive: 0.5, negative: 0.5, objects: true, count: 16, share: 0.25, beta: 1 / 9
}

network Body(norm = true) {
  input image 3x48x64
  stage conv1 {
    if norm { conv 5x5, 8, /4   bn   relu } else { conv 5x5, 8, /4, bias: true   relu }
  }
  stage conv2 {
    if norm { conv 3x3, 16, /2   bn   relu } else { conv 3x3, 16, /2, bias: true   relu }
  }
  head { global_avg_pool   fc 10   softmax }
}

detector Tiny(classes = 10, empty = false, norm = true, backbone = Body(norm: norm), masks = false) {
  input image 3xHxW
  preprocess small
  dialect few(if empty then "used" else "left_out")
  labels ["arrow", "circle", "crescent", "cross", "heart", "hourglass", "ring", "square", "star", "triangle"]
  let sizes = [[12, 24, 48]]
  let ratios = [0.5, 1]
  body = backbone.conv1 .. backbone.conv2
  rpn = proposal_head(16, 6)
  regions = propose(rpn.objectness, rpn.deltas, sizes, ratios, top: 60, nms: 0.7, keep: 20)
  head = shared {
    roi_align body, 3x3, sampling: 1
    fc 16   relu
    siblings(classes, classes + 1)
  }
  predicted = head on regions
  proposal_losses(rpn.objectness, rpn.deltas, sizes, ratios)
  sampled = training_regions(rpn.objectness, rpn.deltas, sizes, ratios, top: 60, nms: 0.7, keep: 40)
  said = head on sampled
  region_losses(sampled, said.logits, said.deltas, classes)
  found = detect(regions, predicted.scores, predicted.deltas, nms: 0.5, keep: 10)
  if masks {
    mask = shared {
      roi_align body, 4x4, sampling: 1
      conv 3x3, 16, bias: true   relu
      logits = conv 1x1, classes + 1, bias: true, std: 0.01
      sigmoid
    }
    own = object_regions(sampled)
    drawn = mask on own
    mask_losses(own, drawn.logits)
    again = found_regions(found)
    probabilities = mask on again
    with_masks(found, probabilities)
  }
}

detector TinyMask = Tiny(masks: true)

dialect all_anchors {
  boxes exclusive
  deltas [10, 10, 5, 5], clamp: 4.1
  anchors rounding: none, order: by_size, step: fixed
  objectness sigmoid
  proposals rank: before
  background first
  detections coordinates: input, threshold: 0.01
  objects crowd: left_out, difficult: learned, empty: "used"
  anchor_targets positive: 0.5, negative: 0.4, best: true, beta: 0.1, divide: positives
}

block short_head(values, first = 0) {
  conv 3x3, 16, bias: true   relu
  conv 3x3, values, bias: true, std: 0.01, initial_bias: first
}

detector TinyRetina(classes = 10) {
  input image 3xHxW
  preprocess small
  dialect all_anchors
  labels ["arrow", "circle", "crescent", "cross", "heart", "hourglass", "ring", "square", "star", "triangle"]
  body = Body.conv1 .. Body.conv2
  coarse = conv 3x3, 16, /2, bias: true
  let levels = [body, coarse]
  let sizes = [[12, 16], [24, 32]]
  classification = shared { short_head(4 * classes, first: rare) }
  regression = shared { short_head(4 * 4) }
  found = for i in 0 .. 1 {
    logits = classification on levels[i]
    sigmoid
    chances = anchor_classes classes
    regression on levels[i]
    moves = anchor_values 4
    from = anchors image, sizes[i], [0.5, 1], none, by_size, fixed on levels[i]
    candidates(chances, from, moves, top: 50, coder: by_deltas)
  }
  said = anchor_values classes on found.logits
  anchor_losses(said, found.moves, found.from, classes)
  detect_candidates(found, nms: 0.5, keep: 10)
}

recipe quick {
  optimizer sgd(momentum: 0.9, weight_decay: 1e-4)
  batch 4
  learning_rate 0.01
  stop 8
  validate 4
  checkpoint 2
  clip_norm 10
  train { flip_horizontal }
}
`;

/** The same in four phases. */
export const TINY_ALTERNATING = `recipe alternating {
  optimizer sgd(momentum: 0.9, weight_decay: 1e-4)
  learning_rate 0.01
  validate 2
  checkpoint 2
  clip_norm 10
  train { flip_horizontal }
  phase rpn { learn proposal_losses   batch 4   stop 4 }
  phase heads { learn region_losses   proposals rpn   weights initial   batch 2   stop 3 }
  phase rpn_on_shared { learn proposal_losses   freeze body   batch 4   stop 3 }
  phase heads_on_shared {
    learn region_losses
    proposals rpn_on_shared
    freeze body
    batch 2
    stop 3
  }
}
`;

const host = memoryHost({ "tiny.resnet": TINY_DETECTOR, "alternating.resnet": TINY_ALTERNATING });

/** @param settings arguments of the detector: `empty: true` */
export function tinyDetector(settings = "", name = "Tiny"): Model {
  const { model, diagnostics } = elaborate(parseTarget(`tiny.resnet#${name}(${settings})`), { host });
  if (!model) throw new Error(JSON.stringify(diagnostics));
  return model;
}

/** In four phases. @param set as `--set` has it: `rpn.stop=2` */
export function alternatingRecipe(set: readonly string[] = []): Recipe {
  const { recipe, diagnostics } = elaborateRecipe(parseTarget("alternating.resnet"), { host, set });
  if (!recipe) throw new Error(JSON.stringify(diagnostics));
  return recipe;
}

export function tinyDetectorRecipe(changes: Partial<Recipe> = {}): Recipe {
  const { recipe, diagnostics } = elaborateRecipe(parseTarget("tiny.resnet#quick"), { host });
  if (!recipe) throw new Error(JSON.stringify(diagnostics));
  return { ...recipe, ...changes };
}

export function tinyScenes(masks = false): DataSet<AnnotatedSplit> {
  return openScenes({ width: 64, height: 48, train: 12, validation: 6, test: 4, masks });
}

export const DETECTOR_NAMES = { target: "tiny.resnet#Tiny", recipe: "tiny.resnet#quick", data: "scenes" };

/** In this thread. Of the request all but the folder may be left out. */
export function trainTiny(
  request: Pick<TrainRequest, "folder"> & Partial<TrainRequest>,
  options: TrainOptions = {},
): Promise<TrainResult> {
  const {
    model = tinyDetector(),
    recipe = tinyDetectorRecipe(),
    data = tinyScenes(),
    names = DETECTOR_NAMES,
  } = request;
  return train(
    { ...request, model, recipe, data, names },
    { device: "cpu", threads: 1, workers: 0, sameThread: true, ...options },
  );
}
