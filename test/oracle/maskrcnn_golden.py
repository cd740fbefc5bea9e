"""Makes test/golden/maskrcnn/*.json: what torchvision's maskrcnn_resnet50_fpn finds, with the weights and images of
oracle_weights.py, and how it pastes masks. Run by hand with torchvision 0.14 and pycocotools:

    python3 test/oracle/maskrcnn_golden.py [case ...]

Each case also runs in float64: what it finds has to be the same (the boxes' part is fasterrcnn_golden.py's, which looks at
every stage).
"""

import base64
import json
import pathlib
import sys

import numpy as np
import torch
from pycocotools import mask as coco_mask
from torchvision.models.detection import maskrcnn_resnet50_fpn
from torchvision.models.detection.roi_heads import expand_boxes, paste_masks_in_image

import fasterrcnn_golden
import oracle_weights
from detector_cases import agreement, around, floats, inputs
from fasterrcnn_golden import FEW, MANY, NONE

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "maskrcnn"

# Logits on both sides of 0 in every mask.
MASKS = {"roi_heads.mask_predictor.mask_fcn_logits.weight": around(0.35)}

# As in fasterrcnn_golden.py.
CASES = {
    "image": dict(images=[("picture.12", 500, 333)], shorter=320, longest=533),
    "image_batch": dict(images=[("picture_batch.10", 480, 320), ("few.8", 320, 480)], shorter=320, longest=533, ranges=FEW),
    "none": dict(images=[("none.0", 320, 320)], shorter=320, longest=533, ranges=NONE),
}
# Detections of an image whose masks are kept: the first of every so many.
EVERY = 25
# A corner is cut to a whole number; nearer to one than this, it would test luck.
MARGIN = 0.02


def run(model, images, sizes):
    """Detections in pixels of the images, with masks as the head gives them, and pasted."""
    features = model.backbone(images.tensors)
    proposals, _ = model.rpn(images, features)
    found, _ = model.roi_heads(features, proposals, images.image_sizes)
    grids = [each["masks"] for each in found]
    found = model.transform.postprocess(found, images.image_sizes, sizes)
    return [dict(each, grids=grid) for each, grid in zip(found, grids)]


def rle(pasted):
    """COCO's compressed text of what is likelier than not."""
    return coco_mask.encode(np.asfortranarray((pasted > 0.5).numpy().astype(np.uint8)))["counts"].decode()


def samples(pasted, number=8):
    """Probabilities at places spread over what is not 0: row, column, value."""
    places = pasted.nonzero()
    chosen = places[[len(places) * i // number for i in range(number)]] if len(places) else []
    return [[int(y), int(x), float(pasted[y, x])] for y, x in chosen]


def kept(each):
    corners = expand_boxes(each["boxes"].double(), 30 / 28)
    clear = ((corners - corners.round()).abs() > MARGIN).all(1).nonzero()[:, 0].tolist()
    rows = [row for row in (min((r for r in clear if r >= first), default=None) for first in range(0, 100, EVERY)) if row is not None]
    return [
        dict(
            row=row,
            grid=floats(each["grids"][row, 0]),
            rle=rle(each["masks"][row, 0]),
            samples=samples(each["masks"][row, 0]),
        )
        for row in rows
    ]


def compute(images, ranges=MANY, **how):
    ranges = {**ranges, **MASKS}
    model = oracle_weights.fill(maskrcnn_resnet50_fpn(weights=None, weights_backbone=None), ranges)
    with torch.no_grad():
        found = run(model, *inputs(model, images, torch.float32, **how))
        model.double()
        found64 = run(model, *inputs(model, images, torch.float64, **how))
    return ranges, found, agreement(found, found64, ("boxes", "scores", "grids"))


def golden(case, ranges, found, differ):
    return dict(
        input={
            **{key: case[key] for key in ("shorter", "longest")},
            "images": [dict(name=name, size=[height, width]) for name, height, width in case["images"]],
        },
        ranges=ranges,
        found=[
            dict(boxes=floats(each["boxes"]), scores=floats(each["scores"]), labels=each["labels"].tolist(), masks=kept(each))
            for each in found
        ],
        float64=differ,
    )


def report(name, found, differ):
    grids = torch.cat([each["grids"] for each in found])
    share = float((grids > 0.5).float().mean()) if len(grids) else 0
    print(name, "found", [len(each["labels"]) for each in found], f"likely places {share:.2f}", end=" ")
    print({key: f"{value:.1e}" for key, value in differ.items()}, flush=True)


# Boxes to paste into an image of 60 x 80: inside, over every border, as large as a pixel and smaller, larger than the
# image. (Boxes outside of it are an error there.) x1, y1, x2, y2.
PASTED = [
    [10, 12, 40, 50],
    [10.4, 12.7, 39.5, 50.2],
    [-12.5, -7.25, 20, 30],
    [60, 40, 95.5, 71],
    [-30, -30, 130, 110],
    [25, 25, 26, 26],
    [25.3, 25.3, 25.6, 25.7],
    [70, 3, 70, 3],
    [0, 0, 80, 60],
    [78.9, 58.9, 79.7, 59.9],
    [3, 30, 77, 31.5],
    [0.5, 0.5, 28.5, 28.5],
]


def pasting():
    """Of masks of every size from 1 that are found by name."""
    cases = []
    for index, box in enumerate(PASTED):
        for side in (28, 14, 1):
            name = f"paste.{index}.{side}"
            grid = torch.from_numpy(oracle_weights.uniform(name, side * side, 0.0, 1.0)).reshape(1, 1, side, side)
            pasted = paste_masks_in_image(grid, torch.tensor([box], dtype=torch.float32), (60, 80))[0, 0]
            cases.append(dict(name=name, side=side, box=box, sum=float(pasted.double().sum()), rle=rle(pasted), samples=samples(pasted)))
    return dict(size=[60, 80], cases=cases)


def written(name, value):
    OUT.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, separators=(",", ":")).replace('],"', '],\n"').replace('},"', '},\n"').replace("},{", "},\n{")
    (OUT / f"{name}.json").write_text(text + "\n")


def main(names):
    torch.set_num_threads(2)
    for name in names or CASES:
        ranges, found, differ = compute(**CASES[name])
        report(name, found, differ)
        written(name, golden(CASES[name], ranges, found, differ))
    written("pasting", pasting())
    # What it has beside fasterrcnn_resnet50_fpn's.
    of_boxes = json.loads((fasterrcnn_golden.OUT / "tensors.json").read_text())
    shapes = {name: list(value.shape) for name, value in maskrcnn_resnet50_fpn(weights=None, weights_backbone=None).state_dict().items()}
    assert all(shapes[name] == shape for name, shape in of_boxes.items())
    written("tensors", {name: shape for name, shape in shapes.items() if name not in of_boxes})


if __name__ == "__main__":
    main(sys.argv[1:])
