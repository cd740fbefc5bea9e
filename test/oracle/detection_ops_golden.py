"""Makes test/golden/detection/operators.json: what torchvision.ops and its anchor generator give in float32, operator by
operator, with what they were given. Run by hand with torchvision 0.14: python3 test/oracle/detection_ops_golden.py
"""

import base64
import json
import math
import pathlib

import torch
import torchvision
from torchvision.models.detection._utils import BoxCoder
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.ops.poolers import LevelMapper

import oracle_weights

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "detection" / "operators.json"


def values(name, *shape, low=0.0, high=1.0):
    return torch.from_numpy(oracle_weights.uniform(name, math.prod(shape), low, high).reshape(shape)).float()


def boxes(name, count, extent=60.0):
    """Corners in order; every fifth box is the one before it."""
    corners = values(name, count, 2, 2, low=-5.0, high=extent)
    made = torch.cat([corners.min(1).values, corners.max(1).values], 1)
    made[4::5] = made[3::5]
    return made


def stored(x):
    """Shape and little-endian numbers: float32, whole ones as they are."""
    if x.dtype in (torch.int64, torch.bool):
        return dict(shape=list(x.shape), numbers=x.flatten().tolist())
    return dict(shape=list(x.shape), float32=base64.b64encode(x.contiguous().numpy().astype("<f4").tobytes()).decode())


def suppression():
    """Scores of one digit: many are the same. torchvision sorts stably."""
    cases = []
    for index, threshold in enumerate((0.3, 0.5, 0.7)):
        given, scores = boxes(f"nms{index}", 60), (values(f"scores{index}", 60) * 10).floor() / 10
        kept = torchvision.ops.nms(given, scores, threshold)
        cases.append(dict(iou=threshold, boxes=stored(given), scores=stored(scores), kept=stored(kept)))
    return cases


def coding():
    cases = []
    for index, weights in enumerate(((1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0))):
        given, targets = boxes(f"from{index}", 10), boxes(f"to{index}", 10)
        deltas = values(f"deltas{index}", 10, 8, low=-30.0, high=30.0)
        coder = BoxCoder(weights)
        cases.append(
            dict(
                weights=weights,
                clamp=coder.bbox_xform_clip,
                boxes=stored(given),
                targets=stored(targets),
                deltas=stored(deltas.reshape(10, 2, 4)),
                decoded=stored(coder.decode(deltas, [given])),
                encoded=stored(coder.encode_single(targets, given)),
            )
        )
    return cases


def anchors():
    cases = []
    for size, map_size, sizes, ratios in (
        ((96, 160), (6, 10), (32,), (0.5, 1.0, 2.0)),
        ((97, 130), (7, 9), (33, 64), (0.37, 1.0)),
    ):
        generator = AnchorGenerator((sizes,), (ratios,))
        made = generator(ImageList(torch.zeros(1, 3, *size), [size]), [torch.zeros(1, 1, *map_size)])[0]
        cases.append(dict(image=size, map=map_size, sizes=sizes, ratios=ratios, anchors=stored(made)))
    return cases


def levels():
    """Areas round the bounds, and far from them."""
    sides = torch.tensor([1.0, 56, 111, 111.99, 112, 223.9, 224, 224.1, 447, 448, 896, 2000])
    given = torch.stack([sides * 0 + 3, sides * 0 + 2, sides + 3, sides + 2], 1)
    given = torch.cat([given, boxes("levels", 40, 900.0)])
    return dict(boxes=stored(given), levels=stored(LevelMapper(2, 5)([given])))


def pooling():
    """Two images, maps with negative values, regions across the border and beyond it."""
    features = values("features", 2, 2, 7, 9, low=-1.0, high=1.0)
    corners = boxes("regions", 15, 130.0)
    # Where Caffe rounds away from zero: half cells, before and after it.
    corners = torch.cat([corners, torch.tensor([[8.0, 8, 24, 40], [-24.0, -8, 56, 24], [300.0, 300, 320, 310]])])
    regions = torch.cat([torch.arange(len(corners)).remainder(2)[:, None].float(), corners], 1)
    made = dict(pool=stored(torchvision.ops.roi_pool(features, regions, (3, 4), 1 / 16)))
    for aligned in (False, True):
        for sampling in (0, 2):
            result = torchvision.ops.roi_align(features, regions, (3, 4), 1 / 16, sampling or -1, aligned)
            made[f"align{sampling}{'_aligned' if aligned else ''}"] = stored(result)
    return dict(features=stored(features), regions=stored(regions), **made)


if __name__ == "__main__":
    golden = dict(suppression=suppression(), coding=coding(), anchors=anchors(), levels=levels(), pooling=pooling())
    OUT.write_text(json.dumps(golden, separators=(",", ":")).replace('},"', '},\n"') + "\n")
