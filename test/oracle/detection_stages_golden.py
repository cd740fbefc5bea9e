"""Makes test/golden/detection/stages.json: what torchvision makes of given maps and regions, in float64: proposals,
detections, levels, pooled regions. The maps are oracle_weights.py's. Run by hand with torchvision 0.14:
python3 test/oracle/detection_stages_golden.py
"""

import base64
import json
import math
import pathlib

import torch
import torchvision
from torchvision.models.detection import fasterrcnn_resnet50_fpn
from torchvision.models.detection.image_list import ImageList

import oracle_weights

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "detection" / "stages.json"
# Own sizes whose ratio float32 has exactly, in which torchvision works it out.
TENSOR, SIZES, OWN = [96, 160], [(96, 131), (80, 160)], [(48, 262), (120, 240)]
# Of each level: its map's size, and the range of its deltas, with some beyond the clamp at ln(1000 / 16).
LEVELS = [((24, 40), 0.6), ((12, 20), 0.6), ((6, 10), 1.0), ((3, 5), 6.0), ((2, 3), 2.0)]
CLASSES = 6


def values(name, shape, bound):
    return torch.from_numpy(oracle_weights.uniform(name, math.prod(shape), -bound, bound).reshape(shape)).double()


class Given(torch.nn.Module):
    """In the place of a head: the maps of LEVELS."""

    def forward(self, features):
        objectness = [values(f"objectness.{i}", (2, 3, *size), 4) for i, (size, _) in enumerate(LEVELS)]
        return objectness, [values(f"deltas.{i}", (2, 12, *size), bound) for i, (size, bound) in enumerate(LEVELS)]


def numbers(x):
    return base64.b64encode(x.contiguous().double().numpy().astype("<f8").tobytes()).decode()


def pooled():
    """One map, regions inside it, across its border and beyond, by every rule."""
    x = values("map", (1, 1, 12, 17), 1)
    regions = values("regions", (24, 4), 1) * 130 + 60
    regions = torch.cat([torch.minimum(regions[:, :2], regions[:, 2:]), torch.maximum(regions[:, :2], regions[:, 2:])], 1)
    rows = torch.cat([torch.zeros(len(regions), 1).double(), regions], 1)
    made = {"pool": torchvision.ops.roi_pool(x, rows, (3, 4), 1 / 16)}
    for aligned in (False, True):
        for sampling in (0, 2):
            name = f"align{sampling}{'_aligned' if aligned else ''}"
            made[name] = torchvision.ops.roi_align(x, rows, (3, 4), 1 / 16, sampling or -1, aligned)
    return dict(regions=numbers(regions), **{name: numbers(result) for name, result in made.items()})


def main():
    model = fasterrcnn_resnet50_fpn(
        weights=None, weights_backbone=None, num_classes=CLASSES + 1, rpn_pre_nms_top_n_test=500, rpn_post_nms_top_n_test=200
    ).eval().double()
    model.rpn.head = Given()
    features = {str(i): torch.zeros(2, 1, *size).double() for i, (size, _) in enumerate(LEVELS)}
    images = ImageList(torch.zeros(2, 3, *TENSOR), SIZES)
    proposals, _ = model.rpn(images, features)
    logits = values("logits", (sum(map(len, proposals)), CLASSES + 1), 3)
    deltas = values("regression", (len(logits), 4 * (CLASSES + 1)), 4)
    found = model.roi_heads.postprocess_detections(logits, deltas, proposals, SIZES)
    found = [dict(boxes=boxes, scores=scores, labels=labels) for boxes, scores, labels in zip(*found)]
    found = model.transform.postprocess(found, SIZES, OWN)
    regions = values("areas", (60, 4), 1) * 400
    regions[:, 2:] = regions[:, :2] + 1 + regions[:, 2:].abs() * 2
    golden = dict(
        tensor=TENSOR,
        sizes=SIZES,
        own=OWN,
        levels=[dict(size=size, bound=bound) for size, bound in LEVELS],
        proposals=[numbers(boxes) for boxes in proposals],
        found=[
            dict(boxes=numbers(each["boxes"]), scores=numbers(each["scores"]), labels=each["labels"].tolist())
            for each in found
        ],
        assigned=dict(
            regions=numbers(regions), levels=torchvision.ops.poolers.LevelMapper(2, 5)([regions]).tolist()
        ),
        pooled=pooled(),
    )
    print([len(each) for each in proposals], [len(each["labels"]) for each in found], golden["assigned"]["levels"])
    OUT.write_text(json.dumps(golden, separators=(",", ":")).replace('],"', '],\n"') + "\n")


if __name__ == "__main__":
    main()
