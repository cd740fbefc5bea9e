"""Makes test/golden/one-stage-training/DETECTOR.json: the losses of torchvision's one-stage detectors and their gradients, with the
weights and images of oracle_weights.py. Run by hand with torchvision 0.14:

    python3 test/oracle/one_stage_losses_golden.py [DETECTOR ...]

Batch norms are frozen, and so are conv1 and layer1, as torchvision trains them. Each case also runs in float64, in which the same
anchors have to be of the same objects: gradients are told by products with random vectors, in both precisions.
"""

import pathlib
import sys

import torch
import torchvision
from torchvision.models.detection import RetinaNet
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.detection.image_list import ImageList
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

import detector_cases
import golden_files
import one_stage_golden
import oracle_weights
from detector_losses_golden import products

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "one-stage-training"


def retinanet():
    body = torchvision.models.resnet50(weights=None, norm_layer=torchvision.ops.FrozenBatchNorm2d)
    backbone = _resnet_fpn_extractor(body, 3, returned_layers=[2, 3, 4], extra_blocks=LastLevelP6P7(256, 256))
    model = RetinaNet(backbone, 91)
    # Their epsilon is 0 in released models alone.
    for module in model.modules():
        if isinstance(module, torchvision.ops.FrozenBatchNorm2d):
            module.eps = 1e-5
    return model


# images: name, height, width; objects: class numbers, as the detector has them, and boxes in pixels of the tensor. An image
# without objects is background alone.
CASES = {
    "retinanet": dict(
        make=retinanet,
        ranges=one_stage_golden.Retinanet.many,
        names=dict(classification="anchor_losses.classes", bbox_regression="anchor_losses.boxes"),
        images=[("train.20", 128, 160), ("train.21", 112, 150), ("train.22", 120, 160)],
        objects=[
            [(1, [20, 30, 120, 110]), (17, [80.5, 10.25, 150, 90]), (62, [100, 5, 131, 38])],
            [(44, [3, 3, 100, 100]), (44, [70, 60, 110, 105])],
            [],
        ],
    ),
}


def losses(case, model, images, sizes, dtype):
    """By their names here, and which anchors are of which object."""
    targets = [
        dict(
            boxes=torch.tensor([box for _, box in each], dtype=dtype).reshape(-1, 4),
            labels=torch.tensor([number for number, _ in each], dtype=torch.int64),
        )
        for each in case["objects"]
    ]
    features = list(model.backbone(images).values())
    heads = model.head(features)
    anchors = model.anchor_generator(ImageList(images, sizes), features)
    matched = []
    compute = model.head.compute_loss

    def noting(targets, heads, anchors, found):
        matched.extend(found)
        return compute(targets, heads, anchors, found)

    model.head.compute_loss = noting
    found = model.compute_loss(targets, heads, anchors)
    return {case["names"][name]: value for name, value in found.items()}, matched


def compute(case):
    images, sizes = detector_cases.inputs(None, case["images"], torch.float32, tensor=True)
    made, matches = {}, []
    for dtype in (torch.float32, torch.float64):
        model = oracle_weights.fill(case["make"](), case["ranges"]).train().to(dtype)
        found, matched = losses(case, model, images.tensors.to(dtype), sizes, dtype)
        sum(found.values()).backward()
        made[dtype] = dict(losses={name: float(value) for name, value in found.items()}, gradients=products(model))
        matches.append(matched)
        print(dtype, made[dtype]["losses"], [int((each >= 0).sum()) for each in matched], flush=True)
    assert all(torch.equal(a, b) for a, b in zip(*matches)), "float32 and float64 match other anchors"
    return dict(
        images=[dict(name=name, size=[height, width]) for name, height, width in case["images"]],
        canvas=list(images.tensors.shape),
        objects=[[dict(label=label, box=box) for label, box in each] for each in case["objects"]],
        ranges=case["ranges"],
        float32=made[torch.float32],
        float64=made[torch.float64],
    )


if __name__ == "__main__":
    golden_files.write_cases(OUT, CASES, compute, sys.argv[1:])
