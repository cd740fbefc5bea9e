"""Makes test/golden/one_stage/DETECTOR/*.json: what torchvision's one-stage detectors find, with the weights and images of
oracle_weights.py, stage by stage. Run by hand with torchvision 0.14:
    python3 test/oracle/one_stage_golden.py DETECTOR [case ...]

Each case also runs in float64: what it finds has to be the same, and how near its decisions came to going the other way
is recorded (detection_margins.py).
"""

import math
import pathlib
import sys

import torch
import torchvision
from torchvision.models.detection import RetinaNet, fcos_resnet50_fpn, retinanet_resnet50_fpn, ssd300_vgg16
from torchvision.models.detection._utils import overwrite_eps
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.ops import boxes as box_ops
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

import detection_margins
import oracle_weights
from detector_cases import around, both_precisions, golden, small_variances, summary, write, write_shapes

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "one_stage"


class Retinanet:
    """Ranges with which hundreds of boxes of many classes pass the threshold on every level, scores well apart."""

    many = {
        "backbone.fpn.layer_blocks.0.0.weight": around(0.012),
        "backbone.fpn.layer_blocks.1.0.weight": around(0.02),
        "backbone.fpn.layer_blocks.2.0.weight": around(0.05),
        "head.classification_head.cls_logits.weight": around(0.06),
        "head.classification_head.cls_logits.bias": [-6, -4],
        "head.regression_head.bbox_reg.weight": around(0.02),
    }
    # Fewer than are kept, so that the threshold itself decides what is found.
    few = {**many, "head.classification_head.cls_logits.bias": [-7.6, -5.6]}
    # No class of any anchor reaches the threshold.
    none = {**many, "head.classification_head.cls_logits.weight": around(0.001)}

    cases = {
        "tensor": dict(images=[("tensor.0", 224, 320)], tensor=True),
        "tensor_few": dict(images=[("few.0", 224, 320)], tensor=True, ranges=few),
        "tensor_batch": dict(images=[("tensor_batch.0", 192, 235), ("tensor_batch.1", 150, 256)], tensor=True),
        "image": dict(images=[("picture.0", 300, 200)], shorter=224, longest=373),
        "image_batch": dict(images=[("picture_batch.0", 240, 160), ("picture_batch.1", 200, 300)], shorter=224, longest=373),
        "released": dict(images=[("released.0", 192, 224)], tensor=True, released=True),
        "none": dict(images=[("none.0", 192, 192)], tensor=True, ranges=none),
    }

    each_class = False

    @staticmethod
    def make(released=False):
        if not released:
            return retinanet_resnet50_fpn(weights=None, weights_backbone=None)
        # As retinanet_resnet50_fpn(weights=...) makes it.
        body = torchvision.models.resnet50(weights=None, norm_layer=torchvision.ops.FrozenBatchNorm2d)
        backbone = _resnet_fpn_extractor(body, 3, returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256))
        model = RetinaNet(backbone, 91)
        overwrite_eps(model, 0.0)
        return model

    @staticmethod
    def scores(heads):
        return torch.sigmoid(heads["cls_logits"])

    @staticmethod
    def boxes(model, heads, anchors):
        return model.box_coder.decode_single(heads["bbox_regression"], anchors)


class Ssd:
    """Images are scaled to 300x300, whatever their proportion. Ranges as of RetinaNet."""

    # torchvision's VGG has no batch norms: its maps would grow with the input's 0 to 255.
    many = {
        "backbone.features.0.weight": around(0.004),
        "head.classification_head.module_list.0.weight": around(0.03),
        "head.classification_head.module_list.0.bias": [-1, 1],
        **{f"head.classification_head.module_list.{i}.weight": around(0.03) for i in range(1, 6)},
        **{f"head.regression_head.module_list.{i}.weight": around(0.05) for i in range(6)},
    }
    cases = {
        "image": dict(images=[("picture.0", 300, 200)]),
        "image_small": dict(images=[("picture_small.0", 180, 240)]),
        "image_batch": dict(images=[("picture_batch.0", 240, 160), ("picture_batch.1", 200, 420)]),
    }
    each_class = True

    @staticmethod
    def make(released=False):
        return ssd300_vgg16(weights=None, weights_backbone=None)

    @staticmethod
    def scores(heads):
        return torch.softmax(heads["cls_logits"], -1)[:, 1:]

    @staticmethod
    def boxes(model, heads, anchors):
        return model.box_coder.decode_single(heads["bbox_regression"], anchors)


class Fcos:
    many = {
        "backbone.fpn.layer_blocks.0.0.weight": around(0.012),
        "backbone.fpn.layer_blocks.1.0.weight": around(0.02),
        "backbone.fpn.layer_blocks.2.0.weight": around(0.05),
        "head.classification_head.cls_logits.weight": around(0.2),
        "head.classification_head.cls_logits.bias": [-6, -4],
        "head.regression_head.bbox_reg.weight": around(0.2),
        "head.regression_head.bbox_reg.bias": [0, 3],
        "head.regression_head.bbox_ctrness.weight": around(0.2),
    }
    few = {**many, "head.classification_head.cls_logits.bias": [-12.5, -10.5]}
    none = {**many, "head.classification_head.cls_logits.weight": around(0.001)}

    cases = {
        "tensor": dict(images=[("tensor.0", 224, 320)], tensor=True),
        "tensor_few": dict(images=[("few.0", 224, 320)], tensor=True, ranges=few),
        "tensor_batch": dict(images=[("tensor_batch.0", 192, 235), ("tensor_batch.1", 150, 256)], tensor=True),
        "image": dict(images=[("picture.0", 300, 200)], shorter=224, longest=373),
        "image_batch": dict(images=[("picture_batch.0", 240, 160), ("picture_batch.1", 200, 300)], shorter=224, longest=373),
        "none": dict(images=[("none.0", 192, 192)], tensor=True, ranges=none),
    }
    each_class = False

    @staticmethod
    def make(released=False):
        return fcos_resnet50_fpn(weights=None, weights_backbone=None)

    @staticmethod
    def scores(heads):
        return torch.sqrt(torch.sigmoid(heads["cls_logits"]) * torch.sigmoid(heads["bbox_ctrness"]))

    @staticmethod
    def boxes(model, heads, anchors):
        return model.box_coder.decode(heads["bbox_regression"], anchors)


DETECTORS = {"retinanet": Retinanet, "ssd": Ssd, "fcos": Fcos}


def network(detector, released=False, ranges=None, **_):
    """The network of a case in float32, and the ranges of its weights."""
    model, ranges = detector.make(released), ranges or detector.many
    if released:
        ranges = {**ranges, **small_variances({name: value.shape for name, value in model.state_dict().items()})}
    return oracle_weights.fill(model, ranges), ranges


def run(model, images, sizes):
    """Every stage's values."""
    features = list(model.backbone(images.tensors).values())
    heads = model.head(features)
    anchors = model.anchor_generator(images, features)
    # The number of anchors of a place may differ from map to map.
    each = model.anchor_generator.num_anchors_per_location()
    levels = [count * map.shape[2] * map.shape[3] for count, map in zip(each, features)]
    split = {key: list(value.split(levels, 1)) for key, value in heads.items()}
    found = found_of(model, heads, split, anchors, levels, images)
    found = model.transform.postprocess(found, images.image_sizes, sizes)
    return dict(features=features, heads=split, anchors=anchors[0].split(levels), found=found)


def found_of(model, heads, split, anchors, levels, images):
    if isinstance(model, torchvision.models.detection.ssd.SSD):
        return model.postprocess_detections(heads, anchors, images.image_sizes)
    of_levels = [list(each.split(levels)) for each in anchors]
    return model.postprocess_detections(split, of_levels, images.image_sizes)


def margins(detector, model, stages, image, size):
    """Of one image, in float64: the smallest, and how many candidates there were and were suppressed."""
    found = dict(score=math.inf, top=math.inf, iou=math.inf)
    boxes, scores, labels, cuts = [], [], [], []
    levels = [({key: value[i][image] for key, value in stages["heads"].items()}, anchors) for i, anchors in enumerate(stages["anchors"])]
    if detector.each_class:
        levels = [({key: torch.cat([heads[key] for heads, _ in levels]) for key in levels[0][0]}, torch.cat(stages["anchors"]))]
    for heads, anchors in levels:
        level_scores = detector.scores(heads)
        level_boxes = box_ops.clip_boxes_to_image(detector.boxes(model, heads, anchors), size)
        found["score"] = min(found["score"], detection_margins.least((level_scores - model.score_thresh).abs().flatten()))
        classes = level_scores.shape[1]
        for group in range(classes) if detector.each_class else [slice(None)]:
            flat = level_scores[:, group].flatten()
            passed = torch.where(flat > model.score_thresh)[0]
            best = passed[flat[passed].topk(min(model.topk_candidates, len(passed))).indices]
            if len(passed) > len(best):
                cuts.append((float(flat[best[-1]]), detection_margins.cut(flat[passed], len(best))))
            rows = best if detector.each_class else torch.div(best, classes, rounding_mode="floor")
            boxes.append(level_boxes[rows])
            scores.append(flat[best])
            labels.append(torch.full_like(best, group) if detector.each_class else best % classes)
    boxes, scores, labels = torch.cat(boxes), torch.cat(scores), torch.cat(labels)
    kept_scores = []
    for label in labels.unique():
        own = labels == label
        kept, nearest = detection_margins.suppress(boxes[own], scores[own], model.nms_thresh)
        found["iou"] = min(found["iou"], nearest)
        kept_scores.append(scores[own][kept])
    kept = torch.cat(kept_scores).sort(descending=True).values if kept_scores else scores
    found["keep"] = detection_margins.cut(kept, model.detections_per_img)
    best = kept[: model.detections_per_img]
    found["order"] = detection_margins.least(best[:-1] - best[1:])
    # What is cut off below the last that is kept decides nothing: it suppresses nothing above it.
    last = float(best[-1]) if len(kept) > model.detections_per_img else 0
    if last > model.score_thresh:
        found["score"] = math.inf
    found["top"] = min([gap for at, gap in cuts if at >= last], default=math.inf)
    return found, dict(candidates=len(scores), suppressed=len(scores) - len(kept))


def compute(detector, case):
    """A case in both precisions: images, stages, and how they agree."""
    model, ranges = network(detector, **case)
    images, stages, images64, stages64, differ = both_precisions(model, case, run)
    with torch.no_grad():
        near = [margins(detector, model, stages64, i, size) for i, size in enumerate(images64.image_sizes)]
    smallest = {key: min(each[key] for each, _ in near) for key in near[0][0]}
    return dict(ranges=ranges, images=images, stages=stages, margins=smallest, counts=[counts for _, counts in near], differ=differ)


def stages_of(c):
    stages = c["stages"]
    return dict(
        features=[summary(x) for x in stages["features"]],
        heads={key: [summary(x) for x in values] for key, values in stages["heads"].items()},
    )


def report(name, c):
    found = [len(each["labels"]) for each in c["stages"]["found"]]
    classes = [len(each["labels"].unique()) for each in c["stages"]["found"]]
    spread = [[round(float(v), 3) for v in each["scores"][[0, -1]]] if len(each["scores"]) else [] for each in c["stages"]["found"]]
    print(name, tuple(c["images"].tensors.shape), "found", found, "of", c["counts"], "in classes", classes, spread)
    print("   ", {key: f"{value:.1e}" for key, value in {**c["margins"], **c["differ"]}.items()}, flush=True)


def main(name, cases):
    torch.set_num_threads(2)
    detector, folder = DETECTORS[name], OUT / name
    for case in cases or detector.cases:
        c = compute(detector, detector.cases[case])
        report(case, c)
        write(folder, case, golden(detector.cases[case], c, **stages_of(c)), ["]", "}"])
    write_shapes(folder, detector.make())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
