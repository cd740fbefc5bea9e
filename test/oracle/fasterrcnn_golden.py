"""Makes test/golden/fasterrcnn/*.json: what torchvision's fasterrcnn_resnet50_fpn finds, with the weights and images of
oracle_weights.py, stage by stage. Run by hand with torchvision 0.14:  python3 test/oracle/fasterrcnn_golden.py [case ...]

Each case also runs in float64: what it finds has to be the same, and how near its decisions came to going the other way
is recorded (detection_margins.py).
"""

import math
import pathlib
import sys

import torch
import torchvision
from torchvision.models.detection import FasterRCNN, fasterrcnn_resnet50_fpn
from torchvision.models.detection._utils import overwrite_eps
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.detection.rpn import concat_box_prediction_layers

import detection_margins
import oracle_weights
from detector_cases import around, both_precisions, floats, golden, small_variances, summary, write, write_shapes

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "fasterrcnn"

# Ranges with which proposals come from every level, and hundreds of boxes of many classes pass the threshold with scores
# well apart. Biases below 0 let a part of the head's units be silent, so that regions differ.
MANY = {
    "backbone.fpn.layer_blocks.0.0.weight": around(0.015),
    "backbone.fpn.layer_blocks.1.0.weight": around(0.03),
    "backbone.fpn.layer_blocks.2.0.weight": around(0.1),
    "backbone.fpn.layer_blocks.3.0.weight": around(0.2),
    "rpn.head.cls_logits.weight": around(0.15),
    "rpn.head.bbox_pred.weight": around(0.04),
    "roi_heads.box_head.fc6.bias": [-0.5, -0.1],
    "roi_heads.box_head.fc7.bias": [-0.5, -0.1],
    "roi_heads.box_predictor.cls_score.weight": around(0.2),
    "roi_heads.box_predictor.bbox_pred.weight": around(0.25),
}
# Fewer than 100 of them, so that the threshold itself decides what is found.
FEW = {**MANY, "roi_heads.box_predictor.cls_score.weight": around(0.08)}
# What is found comes from the two coarsest levels that regions are pooled from, which many small regions hide otherwise.
COARSE = {
    **MANY,
    "backbone.fpn.layer_blocks.0.0.weight": around(0.005),
    "backbone.fpn.layer_blocks.1.0.weight": around(0.005),
    "backbone.fpn.layer_blocks.2.0.weight": around(0.03),
}
# Every class about as likely as the next, so that none reaches 0.05.
NONE = {**MANY, "roi_heads.box_predictor.cls_score.weight": around(0.01)}
# Boxes e^-20 of an anchor's size, which are all too small to be proposals.
NO_PROPOSALS = {**MANY, "rpn.head.bbox_pred.weight": around(0.0001), "rpn.head.bbox_pred.bias": [-30, -20]}

# images: name, height, width. `tensor` cases are the network's input itself, padded with zeros to the largest; the
# others are resized as torchvision does. `released`: batch norms as those of the released weights, epsilon 0.
CASES = {
    "tensor": dict(images=[("tensor.0", 320, 480)], tensor=True),
    "tensor_few": dict(images=[("few.8", 320, 480)], tensor=True, ranges=FEW),
    "tensor_coarse": dict(images=[("coarse.0", 448, 640)], tensor=True, ranges=COARSE),
    "tensor_batch": dict(images=[("tensor_batch.10", 352, 427), ("tensor_batch.11", 300, 512)], tensor=True),
    "image": dict(images=[("picture.12", 500, 333)], shorter=320, longest=533),
    "image_long": dict(images=[("picture_long.10", 200, 600)], shorter=320, longest=533),
    "image_batch": dict(images=[("picture_batch.10", 480, 320), ("picture_batch.11", 427, 640)], shorter=320, longest=533),
    "image_800": dict(images=[("picture_800.0", 427, 640)], shorter=800, longest=1333),
    "released": dict(images=[("released.0", 320, 352)], tensor=True, released=True),
    "none": dict(images=[("none.0", 320, 320)], tensor=True, ranges=NONE),
    "no_proposals": dict(images=[("none.0", 320, 320)], tensor=True, ranges=NO_PROPOSALS),
}


def network(released=False, ranges=MANY, **_):
    """The network of a case in float32, and the ranges of its weights."""
    if not released:
        return oracle_weights.fill(fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None), ranges), ranges
    # As fasterrcnn_resnet50_fpn(weights=...) makes it.
    body = torchvision.models.resnet50(weights=None, norm_layer=torchvision.ops.FrozenBatchNorm2d)
    model = FasterRCNN(_resnet_fpn_extractor(body, 3), num_classes=91)
    overwrite_eps(model, 0.0)
    ranges = {**ranges, **small_variances({name: value.shape for name, value in model.state_dict().items()})}
    return oracle_weights.fill(model, ranges), ranges


def run(model, images, sizes):
    """Every stage's values."""
    features = model.backbone(images.tensors)
    levels = list(features.values())
    objectness, deltas = model.rpn.head(levels)
    proposals, _ = model.rpn(images, features)
    pooled = model.roi_heads.box_roi_pool(features, proposals, images.image_sizes)
    logits, regression = model.roi_heads.box_predictor(model.roi_heads.box_head(pooled))
    found, _ = model.roi_heads(features, proposals, images.image_sizes)
    found = model.transform.postprocess(found, images.image_sizes, sizes)
    return dict(
        features=levels, objectness=objectness, deltas=deltas, proposals=proposals, pooled=pooled, logits=logits,
        regression=regression, found=found,
    )


def margins(model, images, stages):
    """The smallest over the images, and how many boxes passed the threshold and were suppressed."""
    count = len(images.image_sizes)
    anchors = model.rpn.anchor_generator(images, stages["features"])
    _, deltas = concat_box_prediction_layers(stages["objectness"], stages["deltas"])
    boxes = model.rpn.box_coder.decode(deltas, anchors).view(count, -1, 4)
    logits = [each.permute(0, 2, 3, 1).flatten(1) for each in stages["objectness"]]
    split = boxes.split([each.shape[1] for each in logits], 1)
    regions = [len(each) for each in stages["proposals"]]
    found = []
    for i, size in enumerate(images.image_sizes):
        near = detection_margins.proposals(model.rpn, [(a[i], b[i]) for a, b in zip(logits, split)], size)
        near.update(detection_margins.levels(model.roi_heads.box_roi_pool.map_levels, stages["proposals"][i]))
        rows = (each.split(regions)[i] for each in (stages["logits"], stages["regression"]))
        of_heads, counts = detection_margins.detections(model.roi_heads, *rows, stages["proposals"][i], size)
        found.append(({**near, **of_heads}, counts))
    smallest = {key: min(near[key] for near, _ in found) for key in found[0][0]}
    return smallest, [counts for _, counts in found]


def compute(case):
    """A case in both precisions: images, stages, and how they agree."""
    model, ranges = network(**case)
    images, stages, images64, stages64, differ = both_precisions(model, case, run)
    with torch.no_grad():
        smallest, counts = margins(model, images64, stages64)
    return dict(ranges=ranges, images=images, stages=stages, margins=smallest, counts=counts, differ=differ)


def stages_of(c):
    stages = c["stages"]
    return dict(
        **{key: [summary(x) for x in stages[key]] for key in ("features", "objectness", "deltas")},
        proposals=[floats(boxes) for boxes in stages["proposals"]],
        **{key: summary(stages[key]) for key in ("pooled", "logits", "regression")},
    )


def report(name, c):
    found = [len(each["labels"]) for each in c["stages"]["found"]]
    classes = [len(each["labels"].unique()) for each in c["stages"]["found"]]
    print(name, tuple(c["images"].tensors.shape), "proposals", [len(each) for each in c["stages"]["proposals"]], end=" ")
    print("found", found, "of", c["counts"], "in classes", classes)
    print("   ", {key: f"{value:.1e}" for key, value in {**c["margins"], **c["differ"]}.items()}, flush=True)


def main(names):
    torch.set_num_threads(2)
    for name in names or CASES:
        c = compute(CASES[name])
        report(name, c)
        write(OUT, name, golden(CASES[name], c, **stages_of(c)), ["]", "}"])
    write_shapes(OUT, fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None))


if __name__ == "__main__":
    main(sys.argv[1:])
